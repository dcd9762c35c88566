import { readdirSync } from 'node:fs'
import { openWeights } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { fixtureBytes, fixtureJson, fixturePath } from './builders/fixture-files.ts'
import { refusalOf } from './builders/refusal.ts'

interface Place {
  readonly offset?: number
  readonly tensor?: string
  readonly key?: string
  readonly value?: number
  readonly fileBytes?: number
  readonly tensorDataStart?: number
}

const { files } = fixtureJson('malformed/expected.json') as { files: Record<string, { wrong: string; where: Place }> }

describe('files that must be refused', () => {
  test('are all here', () => {
    const names = readdirSync(fixturePath('malformed')).filter((name) => name !== 'expected.json')
    expect(names).toEqual(Object.keys(files).sort())
    expect(names).toHaveLength(38)
  })

  for (const [name, { wrong, where }] of Object.entries(files)) {
    test(`${name}: ${wrong}`, async () => {
      const error = await refusalOf(openWeights(fixturePath(`malformed/${name}`)))
      expect(error.code).toBe('weights-format')
      expect(error.where.file).toBe(name)
      if (where.tensor !== undefined) expect(error.where.tensor).toBe(where.tensor)
      if (where.key !== undefined) expect(error.where.field).toBe(where.key)
      if (where.value !== undefined) expect(error.found).toBe(String(where.value))
      if (where.fileBytes !== undefined) expect(error.message).toContain(String(where.fileBytes))
      if (where.tensorDataStart !== undefined) expect(error.message).toContain(String(where.tensorDataStart))
      if (where.offset !== undefined) expect(error.where.offset).toBe(where.offset + dataStart(name))
    })
  }
})

/** One offset in the list counts from the start of the data. */
function dataStart(name: string): number {
  if (!name.includes('trailing-bytes')) return 0
  const bytes = fixtureBytes(`malformed/${name}`)
  return 8 + new DataView(bytes.buffer).getUint32(0, true)
}
