/**
 * Speed of a random Mamba of 12 layers, 512 wide: the numbers of the README. Best of three prefills of 512 tokens in steps of 128 rows, and
 * 64 tokens one by one.
 *
 *     node --conditions=foretoken-source packages/models/test/benchmarks/recurrent-speed.ts
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CausalLM, loadCausalLM } from '@foretoken/models'
import { randomStream } from '@foretoken/tensor'
import { writeSafetensors } from '@foretoken/weights'

const [layers, hidden, vocab, state] = [12, 512, 4096, 16]
const inner = 2 * hidden
const rank = hidden / 16

interface NamedTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

function randomMamba(): readonly NamedTensor[] {
  const noise = randomStream({ seed: 1 })
  let drawn = 0
  const random = (name: string, shape: readonly number[], scale: number, mean = 0): NamedTensor => {
    const length = shape.reduce((product, dim) => product * dim, 1)
    return { name, shape, values: Float32Array.from({ length }, () => (noise.uniform32(drawn++) - 0.5) * scale + mean) }
  }
  const tensors = [random('backbone.embeddings.weight', [vocab, hidden], 2), random('backbone.norm_f.weight', [hidden], 0, 1)]
  for (let layer = 0; layer < layers; layer++) {
    const name = (part: string) => `backbone.layers.${layer}.${part}`
    const decay = Float32Array.from({ length: inner * state }, (_, at) => Math.log(1 + (at % state)))
    tensors.push(
      random(name('norm.weight'), [hidden], 0, 1),
      random(name('mixer.in_proj.weight'), [2 * inner, hidden], 0.15),
      random(name('mixer.conv1d.weight'), [inner, 1, 4], 1),
      random(name('mixer.conv1d.bias'), [inner], 0.5),
      random(name('mixer.x_proj.weight'), [rank + 2 * state, inner], 0.1),
      random(name('mixer.dt_proj.weight'), [inner, rank], 0.3),
      random(name('mixer.dt_proj.bias'), [inner], 1, -4),
      random(name('mixer.D'), [inner], 0, 1),
      random(name('mixer.out_proj.weight'), [hidden, inner], 0.1),
      { name: name('mixer.A_log'), shape: [inner, state], values: decay },
    )
  }
  return tensors
}

/** Tokens per second. */
async function speed(lm: CausalLM, rows: number, length: number): Promise<number> {
  await using cache = lm.createCache()
  const start = performance.now()
  while (cache.length < length) {
    const tokens = Int32Array.from({ length: Math.min(rows, length - cache.length) }, (_, row) => ((cache.length + row) * 37) % vocab)
    cache.append((await lm.forward({ tokens, cache, want: { logits: 'last' } })).rows)
  }
  return (length * 1000) / (performance.now() - start)
}

const folder = await mkdtemp(join(tmpdir(), 'mamba-'))
try {
  const tensors = randomMamba().map(({ name, shape, values }) => ({
    name,
    shape,
    encoding: 'F32' as const,
    bytes: new Uint8Array(values.buffer),
  }))
  await writeFile(join(folder, 'model.safetensors'), Buffer.concat(writeSafetensors(tensors)))
  const config = {
    model_type: 'mamba',
    hidden_size: hidden,
    num_hidden_layers: layers,
    vocab_size: vocab,
    state_size: state,
    tie_word_embeddings: true,
  }
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
  for (const format of ['f32', 'int8', 'int4'] as const) {
    await using lm = await loadCausalLM(folder, { format })
    await speed(lm, 128, 256)
    const prefills = [await speed(lm, 128, 512), await speed(lm, 128, 512), await speed(lm, 128, 512)]
    const decode = await speed(lm, 1, 64)
    process.stdout.write(`${format}: prefill ${Math.max(...prefills).toFixed(0)} tokens/s, decode ${decode.toFixed(0)} tokens/s\n`)
  }
} finally {
  await rm(folder, { recursive: true })
}
