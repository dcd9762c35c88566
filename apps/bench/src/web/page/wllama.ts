import { LoggerWithoutDebug, Wllama } from '@wllama/wllama'
import type { WebSettings, WebSource } from '../web-job.ts'
import type { WebPeer } from './web-peer.ts'

type Source = Extract<WebSource, { kind: 'wllama' }>

/**
 * On the processor, one sequence. A cache in float32 goes without flash attention, which is its quickest setting in wasm; one in float16 as it
 * chooses itself. Prompts are text: it is told no ids.
 */
export async function openWllama({ file, cacheType }: Source, { threads, positions }: WebSettings): Promise<WebPeer> {
  const wllama = new Wllama({ default: `${location.origin}/wllama/wllama.wasm` }, { suppressNativeLog: true, logger: LoggerWithoutDebug })
  await wllama.loadModelFromUrl(`${location.origin}${file}`, {
    n_ctx: Math.ceil((positions + 64) / 256) * 256,
    n_threads: threads,
    n_gpu_layers: 0,
    n_parallel: 1,
    cache_type_k: cacheType,
    cache_type_v: cacheType,
    ...(cacheType === 'f32' ? { flash_attn: false } : {}),
  })
  return {
    async generate({ text, tokens }, newTokens, onPiece) {
      const pieces = await wllama.createCompletion({
        prompt: text,
        stream: true,
        max_tokens: newTokens,
        temperature: 0,
        ignore_eos: true,
      })
      let read: number | undefined
      for await (const { choices, timings, usage } of pieces) {
        if (choices.some((choice) => choice.text !== '')) onPiece()
        read = timings?.prompt_n ?? usage?.prompt_tokens ?? read
      }
      if (read !== undefined && Math.abs(read - tokens.length) > 2) {
        throw new Error(`found ${read} tokens of the prompt that were read, expected ${tokens.length}`)
      }
    },
  }
}
