import { getLlama, type LlamaContextSequence, LlamaLogLevel, type Token } from 'node-llama-cpp'
import type { PeerSource } from './job.ts'
import type { Peer, PeerSettings } from './peer.ts'

type Source = Extract<PeerSource, { kind: 'node-llama-cpp' }>

/** Its prebuilt library on the processor alone; whatever else it chooses by itself (attention kernel, batch) stays as it is. */
export async function openNodeLlamaCpp({ file }: Source, { threads, positions }: PeerSettings): Promise<Peer> {
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads, logLevel: LlamaLogLevel.error })
  const model = await llama.loadModel({ modelPath: file })
  const context = await model.createContext({ contextSize: positions, threads })
  const sequence = context.getSequence()
  return {
    async generate(prompt, newTokens, onToken) {
      await sequence.clearHistory()
      let made = 0
      for await (const token of sequence.evaluate(prompt.map(tokenOf), { temperature: 0, yieldEogToken: true })) {
        onToken()
        // Text is what a program streams; the other sides make it in their own loops.
        model.detokenize([token])
        if (++made === newTokens) return
      }
    },
    logProbabilities: (tokens) => logProbabilities(sequence, tokens),
    async [Symbol.asyncDispose]() {
      await context.dispose()
      await model.dispose()
      await llama.dispose()
    },
  }
}

async function logProbabilities(sequence: LlamaContextSequence, tokens: readonly number[]): Promise<Float64Array> {
  const found = new Float64Array(tokens.length - 1).fill(Number.NaN)
  await sequence.clearHistory()
  const input = tokens.slice(0, -1).map((token, at) => {
    const next = tokenOf(tokens[at + 1] ?? 0)
    // The best token comes with the asked one: the total weight is relative to it.
    const logits = { filter: { tokens: [next], includeTop: 1 } }
    return [tokenOf(token), { generateNext: { logits, totalLogitWeight: true, options: { temperature: 0 } } }] satisfies [Token, object]
  })
  const outputs = await sequence.controlledEvaluate(input)
  for (let at = 0; at < found.length; at++) {
    const { logits, totalLogitWeight } = outputs[at]?.next ?? {}
    if (logits === undefined || totalLogitWeight === undefined) continue
    const own = logits.get(tokenOf(tokens[at + 1] ?? 0)) ?? Number.NaN
    found[at] = own - Math.max(...logits.values()) - Math.log(totalLogitWeight)
  }
  return found
}

/** Its token ids are numbers under a name of their own, which only a cast can give. */
function tokenOf(id: number): Token {
  return id as Token
}
