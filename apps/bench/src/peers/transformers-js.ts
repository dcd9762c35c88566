import { basename, dirname } from 'node:path'
import { AutoModelForCausalLM, AutoTokenizer, env, Tensor, TextStreamer } from '@huggingface/transformers'
import type { PeerSource } from './job.ts'
import type { Peer, PeerSettings } from './peer.ts'

type Source = Extract<PeerSource, { kind: 'transformers.js' }>

export async function openTransformersJs({ folder, dtype }: Source, { threads }: PeerSettings): Promise<Peer> {
  env.allowRemoteModels = false
  env.localModelPath = `${dirname(folder)}/`
  const name = basename(folder)
  const tokenizer = await AutoTokenizer.from_pretrained(name)
  const model = await AutoModelForCausalLM.from_pretrained(name, {
    dtype,
    device: 'cpu',
    session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
  })
  return {
    async generate(prompt, newTokens, onToken) {
      await model.generate({
        ...inputsOf(prompt),
        max_new_tokens: newTokens,
        do_sample: false,
        streamer: new TextStreamer(tokenizer, { skip_prompt: true, callback_function: () => {}, token_callback_function: onToken }),
      })
    },
    async logProbabilities(tokens) {
      const { logits } = await model.forward(inputsOf(tokens))
      const [, rows = 0, vocab = 0] = logits.dims
      const scores = new Float64Array(tokens.length - 1)
      if (rows !== tokens.length) throw new Error(`found logits of ${rows} rows, expected ${tokens.length}`)
      for (let row = 0; row < scores.length; row++) {
        const values: Float32Array = logits.data.subarray(row * vocab, (row + 1) * vocab)
        scores[row] = (values[tokens[row + 1] ?? 0] ?? Number.NaN) - logSumExp(values)
      }
      return scores
    },
    async [Symbol.asyncDispose]() {
      await model.dispose()
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
