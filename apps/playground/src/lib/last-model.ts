/** Which model was open last, so that a reload opens it again. Only ids of the hub: files stay with the user. */
import { type ModelRequest, parseHubId } from './model-request.ts'

const KEY = 'foretoken-playground-model'

export const lastModel = {
  remember(request: ModelRequest): void {
    try {
      if (request.kind === 'hub') localStorage.setItem(KEY, request.id)
      else localStorage.removeItem(KEY)
    } catch {
      // without storage the next visit begins with the choice
    }
  },
  recall(): ModelRequest | undefined {
    try {
      const id = localStorage.getItem(KEY)
      return id === null ? undefined : parseHubId(id)
    } catch {
      return undefined
    }
  },
}
