import { expect, test } from 'vitest'
import stored from './fixtures/sampled-ids.json' with { type: 'json' }
import { SETTINGS, sampledIds } from './sampled-ids.ts'

test('the table holds 300 draws of each setting, and they differ', () => {
  expect(stored.map(({ sampling }) => sampling)).toEqual(SETTINGS)
  for (const { ids } of stored) expect(ids).toHaveLength(300)
  expect(new Set(stored.map(({ ids }) => ids.join())).size).toBe(SETTINGS.length)
})

test.each(SETTINGS.map((sampling, at) => [JSON.stringify(sampling), sampling, at] as const))(
  '%s draws the ids of the table in every engine',
  (_, sampling, at) => {
    expect(sampledIds(sampling)).toEqual(stored[at]?.ids)
  },
)
