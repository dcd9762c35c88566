import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeModel } from '@foretoken/graph'
import { expect, test } from 'vitest'
import { runCommand } from '../run-command.ts'
import { tinyCheckpoint } from '../tiny-checkpoint.ts'

test('the plan, the memory and the tensors are shown, alike layers in one line', async () => {
  await using model = await tinyCheckpoint()
  const { status, out, err } = await runCommand([
    'inspect',
    '--model',
    model.path,
    '--cache',
    model.cache,
    '--format',
    'f32',
    '--threads',
    '1',
  ])
  expect({ status, err }).toEqual({ status: 0, err: '' })
  expect(out.split('\n')[0]).toBe(model.path)
  expect(out).toMatch(/^architecture +llama: 2 layers, width 64, 4 heads, 2 key\/value heads of 16$/m)
  expect(out).toMatch(/^context +256 positions$/m)
  expect(out).toMatch(/^runs on +onnxruntime-node [\d.]+, cpu, 1 threads$/m)
  expect(out).toMatch(/^format of linear +f32$/m)
  expect(out).toMatch(/^weights +\d+\.\d kB$/m)
  expect(out).toMatch(/^note +converted weights are kept for later starts$/m)
  // 4 heads of 16 from a width of 64, in two layers, 4 bytes each
  expect(out).toMatch(/^model\.layers\.\*\.self_attn\.q_proj\.weight +F32 +\[64, 64\] +2 +32\.8 kB$/m)
  expect(out).toMatch(/^lm_head\.weight +F32 +\[256, 64\] +65\.5 kB$/m)
  // a table each of embedding and head, nine tensors in a layer, and the last norm
  expect(out).toMatch(/^21 tensors, 427\.3 kB$/m)
})

test('--tensors gives each tensor a line', async () => {
  await using model = await tinyCheckpoint()
  const { out } = await runCommand(['inspect', '--model', model.path, '--cache', model.cache, '--tensors'])
  expect(out).toMatch(/^model\.layers\.1\.self_attn\.q_proj\.weight +F32 +\[64, 64\] +16\.4 kB$/m)
})

test('--json has plan, memory, capabilities and every tensor', async () => {
  await using model = await tinyCheckpoint()
  const { out } = await runCommand(['inspect', '--model', model.path, '--cache', model.cache, '--json'])
  const record = JSON.parse(out)
  expect(record).toMatchObject({
    path: model.path,
    config: { modelType: 'llama', layers: 2 },
    plan: { provider: 'cpu', formats: { linear: expect.any(String) }, notes: expect.any(Array) },
    memory: { weightsBytes: expect.any(Number), cacheBytes: expect.any(Number) },
    capabilities: { topK: true },
  })
  expect(record.tensors).toHaveLength(21)
  expect(record.tensors).toContainEqual({ name: 'model.norm.weight', encoding: 'F32', shape: [64], bytes: 256 })
})

test('--save-graph writes an ONNX file that can be read, and says so on stderr', async () => {
  await using model = await tinyCheckpoint()
  const file = join(model.path, '..', 'graph.onnx')
  const { status, err } = await runCommand(['inspect', '--model', model.path, '--cache', model.cache, '--save-graph', file])
  expect({ status, err }).toEqual({ status: 0, err: `The graph is in ${file}; its weights are not.\n` })
  const { graph } = decodeModel(new Uint8Array(await readFile(file)))
  expect(graph?.node.length).toBeGreaterThan(10)
})

test('--save-graph to where nothing can be written is an error in one line', async () => {
  await using model = await tinyCheckpoint()
  const args = ['inspect', '--model', model.path, '--cache', model.cache, '--save-graph', join(model.path, 'no', 'graph.onnx')]
  const { status, out, err } = await runCommand(args)
  expect({ status, out }).toEqual({ status: 1, out: '' })
  expect(err).toMatch(/^error: ENOENT: .*graph\.onnx'\n$/)
})
