/** Our side, in the page's own thread. The first visit keeps the file in the page's cache, and its converted weights in the files of the origin. */
import { generate, score } from '@foretoken/generation'
import { loadCausalLM } from '@foretoken/models'
import type { WebSettings, WebSource } from '../web-job.ts'
import type { WebPeer } from './web-peer.ts'

type Source = Extract<WebSource, { kind: 'foretoken' }>

export async function openForetoken({ file, format }: Source, { threads }: WebSettings): Promise<WebPeer> {
  // The same time in each visit: what is kept belongs to a name, a size and a time.
  const cached = new File([await cachedFile(file)], file.slice(file.lastIndexOf('/') + 1), { lastModified: 0 })
  const lm = await loadCausalLM(cached, { format, threads, convertedFolder: 'bench' })
  return {
    async generate({ tokens }, newTokens, onPiece) {
      const stream = generate(lm, { tokens: Int32Array.from(tokens), maxNewTokens: newTokens, stopTokens: [], speculate: 'off' })
      for await (const { ids } of stream) for (const _ of ids) onPiece()
    },
    async logProbabilities(tokens) {
      return (await score(lm, { tokens: Int32Array.from(tokens) })).logProbabilities
    },
  }
}

async function cachedFile(address: string): Promise<Blob> {
  const cache = await caches.open('foretoken')
  const known = await cache.match(address)
  if (known !== undefined) return known.blob()
  await cache.add(address)
  return cachedFile(address)
}
