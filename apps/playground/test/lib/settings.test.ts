import { expect, test } from 'vitest'
import { DEFAULT_SETTINGS, parseSettings, samplingOf } from '../../src/lib/settings.ts'

test('settings come back as they were stored', () => {
  const changed = { ...DEFAULT_SETTINGS, temperature: 1.2, seed: 7, system: 'Be brief.', theme: 'dark' as const, speculate: false }
  expect(parseSettings(JSON.parse(JSON.stringify(changed)))).toEqual(changed)
})

test.each([
  ['nothing', undefined],
  ['a text', 'settings'],
  ['numbers out of bounds', { temperature: 9, topP: 0, seed: -1, maxNewTokens: 1e9 }],
  ['no numbers', { temperature: Number.NaN, topP: '1', seed: null, maxNewTokens: [] }],
  ['an unknown theme', { theme: 'purple', speculate: 'yes' }],
])('%s gives the defaults', (_, stored) => {
  expect(parseSettings(stored)).toEqual(DEFAULT_SETTINGS)
})

test('whole numbers stay whole', () => {
  expect(parseSettings({ seed: 3.7, maxNewTokens: 10.2 })).toMatchObject({ seed: 4, maxNewTokens: 10 })
})

test('temperature 0 is greedy', () => {
  expect(samplingOf({ ...DEFAULT_SETTINGS, temperature: 0 })).toEqual({ kind: 'greedy' })
  expect(samplingOf({ ...DEFAULT_SETTINGS, temperature: 0.5, topP: 0.9, seed: 3 })).toEqual({
    kind: 'sample',
    temperature: 0.5,
    topP: 0.9,
    seed: 3,
  })
})
