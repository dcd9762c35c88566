/** Every way of opening a model: the caches of the one before go first, and the chat is shown when the new one is there. */
import type { ModelRequest } from '../lib/model-request.ts'
import { chat } from './chat.svelte.ts'
import { model } from './model.svelte.ts'
import { view } from './view.svelte.ts'

/**
 * @param choose      finds out which model is meant; what it throws is shown
 * @param isOnlyKept  see `model.load`
 */
export async function openModel(
  choose: () => ModelRequest | undefined | Promise<ModelRequest | undefined>,
  isOnlyKept = false,
): Promise<void> {
  try {
    const request = await choose()
    if (request === undefined) return
    await model.load(request, isOnlyKept, () => chat.releaseCaches())
    if (model.session !== undefined && model.failure === undefined && view.main === 'models') view.go('chat')
  } catch (error) {
    model.fail(error)
  }
}
