import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { add, encodeModel, Graph, gather, reduceSum, type Value } from '@foretoken/graph'
import { loadRuntime } from '@foretoken/runtime'
import { tensor } from '@foretoken/tensor'
import { expect, test } from 'vitest'

test('weights of 2.5 GiB beside the graph are mapped, not read', async () => {
  const [tables, rows, width] = [10, 65_536, 1024]
  const graph = new Graph({ name: 'large' })
  const ids = graph.input('ids', 'int64', ['count'])
  const group = { load: () => Promise.reject(new Error('the weights are written below')) }
  let total: Value | undefined
  for (let table = 0; table < tables; table++) {
    const sum = reduceSum(gather(graph.initializer(`table_${table}`, 'float32', [rows, width], { group, part: `${table}` }), ids), [-1], {
      keepDims: false,
    })
    total = total === undefined ? sum : add(total, sum)
  }
  if (total === undefined) throw new Error('no tables')
  graph.output('total', total)
  const { external, bytes } = encodeModel(graph, { external: { location: 'weights.bin' } })
  const end = Math.max(...external.map(({ offset, length }) => offset + length))
  expect(end).toBeGreaterThan(2 ** 31)

  const folder = await mkdtemp(join(tmpdir(), 'large-'))
  try {
    // a file of holes: only the last row of each table is written
    await using file = await open(join(folder, 'weights.bin'), 'w')
    await file.truncate(end)
    for (const [table, { offset }] of external.entries()) {
      const row = new Float32Array(width).fill(table + 1)
      await file.write(new Uint8Array(row.buffer), 0, row.byteLength, offset + (rows - 1) * row.byteLength)
    }
    await writeFile(join(folder, 'model.onnx'), bytes())
    const runtime = await loadRuntime()
    await using session = await runtime.open({ kind: 'file', path: join(folder, 'model.onnx') })
    const results = await session.run(new Map([['ids', tensor('int64', [2], BigInt64Array.of(0n, BigInt(rows - 1)))]]), ['total'])
    // 1 + 2 + … + 10, times the width
    expect(results.get('total')?.data).toEqual(Float32Array.of(0, 55 * width))
  } finally {
    await rm(folder, { recursive: true })
  }
})
