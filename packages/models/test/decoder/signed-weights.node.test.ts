import { loadRuntime, loadWasmRuntime, type Runtime, type Session } from '@foretoken/runtime'
import { type Tensor, tensor } from '@foretoken/tensor'
import { describe, expect, test } from 'vitest'
import { multipliesSignedWeights } from '../../src/decoder/signed-weights.ts'
import { loadCausalLM } from '../../src/index.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'

/** The runtime as on a processor whose sums of two products end at 32,767, for the graph that asks about that. */
function saturating(runtime: Runtime): Runtime & { readonly asked: () => number } {
  let asked = 0
  return {
    ...runtime,
    asked: () => asked,
    async open(source, options): Promise<Session> {
      const session = await runtime.open(source, options)
      if (options?.name !== 'signed-weights') return session
      asked++
      return {
        ...session,
        async run(feeds, fetches): Promise<ReadonlyMap<string, Tensor>> {
          const activations = feeds.get('activations')
          const rows = activations?.dims[0] ?? 0
          const inputs = activations?.dims[1] ?? 0
          const sums = (await session.run(feeds, fetches)).get('sums')
          const columns = sums?.dims[1] ?? 0
          const cut = Float32Array.from({ length: rows * columns }, (_, at) => {
            const weight = (at % columns) % 2 === 0 ? 127 : -127
            return (inputs / 2) * Math.max(-32_768, Math.min(32_767, 2 * 255 * weight)) - inputs * 128 * weight
          })
          return new Map([['sums', tensor('float32', [rows, columns], cut)]])
        },
        [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
      }
    },
  }
}

async function logitsOn(runtime: Runtime, name: string) {
  const { folder, inputIds } = await checkpointFixture(name)
  await using lm = await loadCausalLM(folder, { format: 'int8-rows', runtime, selfTest: false })
  await using cache = lm.createCache()
  const { logits } = await lm.forward({ tokens: Int32Array.from(inputIds[0] ?? []), cache, want: { logits: 'all' } })
  return { logits: logits?.data, notes: lm.plan.notes.join('; ') }
}

const runtimes = [
  ['onnxruntime-node', await loadRuntime({ threads: 2 })],
  ['onnxruntime-web', await loadWasmRuntime({ threads: 2 })],
] as const

describe.each(runtimes)('on %s', (name, runtime) => {
  test('weights are uint8 where products of int8 saturate, and the plan says so', async () => {
    const { notes } = await logitsOn(saturating(runtime), 'llama')
    expect(notes).toContain('rows of integers are uint8')
  })

  test('int8 and uint8 weights give the same bits', async () => {
    const unsigned = await logitsOn(saturating(runtime), 'llama')
    const chosen = await logitsOn(runtime, 'llama')
    // wasm is known to be exact; a native runtime only with VNNI, and elsewhere both sides are uint8
    if (name === 'onnxruntime-web') expect(chosen.notes).toContain('rows of integers are int8')
    expect(chosen.logits).toEqual(unsigned.logits)
    expect(chosen.logits?.length).toBeGreaterThan(0)
  })

  test('the question is asked once', async () => {
    const asked = saturating(runtime)
    expect(await multipliesSignedWeights(asked)).toBe(false)
    expect(await multipliesSignedWeights(asked)).toBe(false)
    expect(asked.asked()).toBe(1)
  })
})
