/** Our side, in the page's own thread. The file is kept in the page's cache by the first visit; weights are converted at each. */
import { generate, score } from '@foretoken/generation'
import { ggufCheckpoint, loadCausalLM } from '@foretoken/models'
import { blobSource, openGguf } from '@foretoken/weights'
import type { WebSettings, WebSource } from '../web-job.ts'
import type { WebPeer } from './web-peer.ts'

type Source = Extract<WebSource, { kind: 'foretoken' }>

export async function openForetoken({ file, format }: Source, { threads }: WebSettings): Promise<WebPeer> {
  const checkpoint = await ggufCheckpoint(await openGguf([blobSource(await cachedFile(file), file)]), file)
  const lm = await loadCausalLM(checkpoint, { format, threads })
  return {
    async generate({ tokens }, newTokens, onPiece) {
      const stream = generate(lm, { tokens: Int32Array.from(tokens), maxNewTokens: newTokens, stopTokens: [] })
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
