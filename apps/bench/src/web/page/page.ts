/** The page of one side: the bench calls it through `webBench`. Only the code of that side is loaded. */
import type { WebContinuation, WebSettings, WebSource, WebTask } from '../web-job.ts'
import type { WebPeer } from './web-peer.ts'

let peer: WebPeer | undefined

globalThis.webBench = {
  async open(source, settings) {
    peer = await openPeer(source, settings)
    return performance.now()
  },
  async perform(task) {
    if (peer === undefined) throw new Error('found no model, expected an open one')
    return perform(peer, task)
  },
}

async function openPeer(source: WebSource, settings: WebSettings): Promise<WebPeer> {
  switch (source.kind) {
    case 'foretoken':
      return (await import('./foretoken.ts')).openForetoken(source, settings)
    case 'transformers.js':
      return (await import('./transformers-js.ts')).openTransformersJs(source, settings)
    case 'wllama':
      return (await import('./wllama.ts')).openWllama(source, settings)
  }
}

async function perform(side: WebPeer, task: WebTask) {
  if (task.kind === 'perplexity') {
    if (side.logProbabilities === undefined) throw new Error('found no way to score a text, expected one')
    const scores = await side.logProbabilities(task.tokens)
    return { kind: 'perplexity', negativeLogLikelihood: -scores.reduce((sum, each) => sum + each, 0) / scores.length } as const
  }
  const continuations: WebContinuation[] = []
  for (const prompt of task.prompts) {
    const times: number[] = []
    const startedAt = performance.now()
    await side.generate(prompt, task.newTokens, () => times.push(performance.now()))
    const [first] = times
    if (first === undefined || times.length < task.newTokens / 2) {
      throw new Error(`found ${times.length} pieces of text after a prompt of ${prompt.tokens.length}, expected ${task.newTokens}`)
    }
    continuations.push({
      promptTokens: prompt.tokens.length,
      prefillMs: first - startedAt,
      stepMs: times.slice(1).map((time, at) => time - (times[at] ?? time)),
    })
  }
  return { kind: 'speed', continuations } as const
}
