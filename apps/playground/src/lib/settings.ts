/** What the user can set, its bounds, and how it is read back: whatever was stored, the result is whole and within its bounds. */
import type { Sampling } from '@foretoken/generation'

export interface Settings {
  /** 0 takes the most probable token. */
  readonly temperature: number
  readonly topP: number
  readonly seed: number
  readonly maxNewTokens: number
  readonly speculate: boolean
  /** What computes, from the next loading on. */
  readonly provider: 'wasm' | 'webgpu'
  readonly system: string
  /** Whether tokens are shaded by their probability. */
  readonly showProbabilities: boolean
  readonly theme: 'system' | 'light' | 'dark'
}

export const DEFAULT_SETTINGS: Settings = {
  temperature: 0.6,
  topP: 0.95,
  seed: 0,
  maxNewTokens: 256,
  speculate: true,
  provider: 'wasm',
  system: '',
  showProbabilities: true,
  theme: 'system',
}

/** Inclusive, with the step of the control. */
export const SETTING_BOUNDS = {
  temperature: { least: 0, most: 2, step: 0.05 },
  topP: { least: 0.05, most: 1, step: 0.05 },
  seed: { least: 0, most: Number.MAX_SAFE_INTEGER, step: 1 },
  maxNewTokens: { least: 1, most: 4096, step: 1 },
} as const

const LONGEST_SYSTEM = 20_000

/** @param stored  anything; what is not a setting within its bounds becomes the default */
export function parseSettings(stored: unknown): Settings {
  const given: ReadonlyMap<string, unknown> = new Map(typeof stored === 'object' && stored !== null ? Object.entries(stored) : [])
  const number = (name: keyof typeof SETTING_BOUNDS): number => {
    const value = given.get(name)
    const { least, most, step } = SETTING_BOUNDS[name]
    if (typeof value !== 'number' || !(value >= least && value <= most)) return DEFAULT_SETTINGS[name]
    return step === 1 ? Math.round(value) : value
  }
  const flag = (name: 'speculate' | 'showProbabilities'): boolean => {
    const value = given.get(name)
    return typeof value === 'boolean' ? value : DEFAULT_SETTINGS[name]
  }
  const system = given.get('system')
  const theme = given.get('theme')
  return {
    temperature: number('temperature'),
    topP: number('topP'),
    seed: number('seed'),
    maxNewTokens: number('maxNewTokens'),
    speculate: flag('speculate'),
    showProbabilities: flag('showProbabilities'),
    provider: given.get('provider') === 'webgpu' ? 'webgpu' : 'wasm',
    system: typeof system === 'string' ? system.slice(0, LONGEST_SYSTEM) : DEFAULT_SETTINGS.system,
    theme: theme === 'light' || theme === 'dark' ? theme : 'system',
  }
}

export function samplingOf({ temperature, topP, seed }: Settings): Sampling {
  return temperature === 0 ? { kind: 'greedy' } : { kind: 'sample', temperature, topP, seed }
}
