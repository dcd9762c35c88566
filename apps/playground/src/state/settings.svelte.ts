/** The settings of this browser. Where nothing can be stored they last as long as the page. */
import { parseSettings, type Settings } from '../lib/settings.ts'

const KEY = 'foretoken-playground-settings'

let current = $state.raw<Settings>(parseSettings(stored()))

export const settings = {
  get value(): Settings {
    return current
  },
  change(part: Partial<Settings>): void {
    current = parseSettings({ ...current, ...part })
    try {
      localStorage.setItem(KEY, JSON.stringify(current))
    } catch {
      // a page whose storage is blocked keeps its settings until it is closed
    }
  },
}

function stored(): unknown {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? 'null')
  } catch {
    return undefined
  }
}
