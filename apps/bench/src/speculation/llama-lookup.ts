/**
 * node-llama-cpp beside itself: one sequence as it is, and one with its own lookup in the input (`InputLookupTokenPredictor`). Their ratio is set beside
 * ours. Greedy alone: with chance its outputs cannot be compared.
 */
import { getLlama, InputLookupTokenPredictor, type LlamaContextSequence, LlamaLogLevel, type Token } from 'node-llama-cpp'

export interface LookupRun {
  readonly ids: readonly number[]
  /** From the first new token to the last. */
  readonly decodeMs: number
  /** Processor time of the same, all threads. */
  readonly processorMs: number
  /** Tokens that were predicted and right. */
  readonly accepted: number
}

export interface LlamaLookup extends AsyncDisposable {
  generate(prompt: readonly number[], newTokens: number, isPredicting: boolean): Promise<LookupRun>
}

export async function openLlamaLookup(file: string, threads: number, positions: number): Promise<LlamaLookup> {
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads, logLevel: LlamaLogLevel.error })
  const model = await llama.loadModel({ modelPath: file })
  const context = await model.createContext({ contextSize: positions, sequences: 2, threads })
  const plain = context.getSequence()
  const predicting = context.getSequence({ tokenPredictor: new InputLookupTokenPredictor() })
  return {
    generate: (prompt, newTokens, isPredicting) => run(isPredicting ? predicting : plain, prompt, newTokens),
    async [Symbol.asyncDispose]() {
      await context.dispose()
      await model.dispose()
      await llama.dispose()
    },
  }
}

async function run(sequence: LlamaContextSequence, prompt: readonly number[], newTokens: number): Promise<LookupRun> {
  await sequence.clearHistory()
  const before = sequence.tokenPredictions.validated
  sequence.tokenPredictor?.updateInputTokens(prompt.map(tokenOf))
  const ids: number[] = []
  let start = 0
  let cpu = process.cpuUsage()
  for await (const token of sequence.evaluate(prompt.map(tokenOf), { temperature: 0, yieldEogToken: true })) {
    if (ids.length === 0) {
      start = performance.now()
      cpu = process.cpuUsage()
    }
    ids.push(token)
    if (ids.length === newTokens) break
  }
  const { user, system } = process.cpuUsage(cpu)
  const accepted = sequence.tokenPredictions.validated - before
  return { ids, decodeMs: performance.now() - start, processorMs: (user + system) / 1000, accepted }
}

/** Its token ids are numbers under a name of their own, which only a cast can give. */
function tokenOf(id: number): Token {
  return id as Token
}
