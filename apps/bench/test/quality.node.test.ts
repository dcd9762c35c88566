import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { compareFormats, formatQualityTable } from '../src/quality.ts'

const LLAMA = fileURLToPath(new URL('../../../packages/models/test/fixtures/checkpoints/llama', import.meta.url))

test('every format is compared with float32, which loses nothing', async () => {
  const convertedFolder = await mkdtemp(join(tmpdir(), 'quality-'))
  try {
    const text = Array.from({ length: 40 }, (_, at) => (at * 7) % 250)
    const rows = await compareFormats({ model: LLAMA, threads: 1, convertedFolder, text, say: () => {} })
    const float = rows.find(({ format }) => format === 'f32')
    expect(float).toMatchObject({ argmaxAgreement: 1, meanDivergence: 0, perplexityLossPercent: 0 })
    for (const { format, meanDivergence } of rows) if (format.startsWith('int')) expect(meanDivergence).toBeGreaterThan(0)
    const table = formatQualityTable(rows).split('\n')
    expect(table).toHaveLength(rows.length + 1)
    expect(table.find((line) => line.startsWith('f32'))).toMatch(/0\.00 % +100\.0 % +0\.00000 /)
  } finally {
    await rm(convertedFolder, { recursive: true })
  }
})
