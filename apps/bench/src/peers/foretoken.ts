import { generate, score } from '@foretoken/generation'
import { loadCausalLM } from '@foretoken/models'
import type { PeerSource } from './job.ts'
import type { Peer, PeerSettings } from './peer.ts'

type Source = Extract<PeerSource, { kind: 'foretoken' }>

export async function openForetoken({ file, format, convertedFolder }: Source, { threads }: PeerSettings): Promise<Peer> {
  const lm = await loadCausalLM(file, { format, threads, ...(convertedFolder === undefined ? {} : { convertedFolder }) })
  return {
    async generate(prompt, newTokens, onToken) {
      const stream = generate(lm, { tokens: Int32Array.from(prompt), maxNewTokens: newTokens, stopTokens: [], speculate: 'off' })
      for await (const { ids } of stream) for (const _ of ids) onToken()
    },
    async logProbabilities(tokens) {
      return (await score(lm, { tokens: Int32Array.from(tokens) })).logProbabilities
    },
    [Symbol.asyncDispose]: () => lm[Symbol.asyncDispose](),
  }
}
