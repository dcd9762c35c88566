import { AutoModelForCausalLM, AutoTokenizer, env, Tensor, TextStreamer } from '@huggingface/transformers'
import type { WebSettings, WebSource } from '../web-job.ts'
import type { WebPeer } from './web-peer.ts'

type Source = Extract<WebSource, { kind: 'transformers.js' }>

/** From the bench's server as if that were the hub, so that files are kept in the page's cache as they would be in an app. */
export async function openTransformersJs({ model: name, dtype }: Source, { threads }: WebSettings): Promise<WebPeer> {
  env.allowLocalModels = false
  env.remoteHost = location.origin
  env.remotePathTemplate = 'models/{model}/'
  const { wasm } = env.backends.onnx
  if (wasm === undefined) throw new Error('found no wasm backend in transformers.js, expected one')
  wasm.numThreads = threads
  const file = `${location.origin}/ort/ort-wasm-simd-threaded.asyncify`
  wasm.wasmPaths = { mjs: `${file}.mjs`, wasm: `${file}.wasm` }
  const tokenizer = await AutoTokenizer.from_pretrained(name)
  const model = await AutoModelForCausalLM.from_pretrained(name, { dtype, device: 'wasm' })
  return {
    async generate({ tokens }, newTokens, onPiece) {
      await model.generate({
        ...inputsOf(tokens),
        max_new_tokens: newTokens,
        do_sample: false,
        streamer: new TextStreamer(tokenizer, { skip_prompt: true, callback_function: () => {}, token_callback_function: onPiece }),
      })
    },
    async logProbabilities(tokens) {
      const { logits } = await model.forward(inputsOf(tokens))
      const [, rows = 0, vocab = 0] = logits.dims
      if (rows !== tokens.length) throw new Error(`found logits of ${rows} rows, expected ${tokens.length}`)
      return Float64Array.from({ length: rows - 1 }, (_, row) => {
        const values: Float32Array = logits.data.subarray(row * vocab, (row + 1) * vocab)
        return (values[tokens[row + 1] ?? 0] ?? Number.NaN) - logSumExp(values)
      })
    },
  }
}

function inputsOf(tokens: readonly number[]) {
  const dims = [1, tokens.length]
  return {
    input_ids: new Tensor('int64', BigInt64Array.from(tokens, BigInt), dims),
    attention_mask: new Tensor('int64', new BigInt64Array(tokens.length).fill(1n), dims),
  }
}

function logSumExp(values: Float32Array): number {
  let greatest = Number.NEGATIVE_INFINITY
  for (const value of values) if (value > greatest) greatest = value
  let sum = 0
  for (const value of values) sum += Math.exp(value - greatest)
  return greatest + Math.log(sum)
}
