/**
 * A model without weights, for tests: it answers with the words of a fixed text, one token a word, and counts what its caches reuse as the
 * real ones do. Token ids are indices into the words it has met.
 */
import type { GenerationPiece } from '@foretoken/generation'
import type { AnswerRequest, Branch, ModelSession, Spelling } from '../src/lib/model-session.ts'

export interface StandInOptions {
  readonly answer?: string
  readonly stepMs?: number
}

const ANSWER =
  'The sky is blue because the air scatters short waves of light more than long ones. Sunlight holds all colours; what reaches the eye from above is what the air has sent astray, and most of that is blue.\n\nIn the evening the way through the air is longer: the blue is gone before it arrives, and red is left.'

export interface StandIn extends ModelSession {
  /** Caches that are open. */
  readonly openBranches: number
}

export function standInSession({ answer = ANSWER, stepMs = 0 }: StandInOptions = {}): StandIn {
  const words: string[] = ['<end>']
  const idOf = (word: string): number => {
    const known = words.indexOf(word)
    return known >= 0 ? known : words.push(word) - 1
  }
  const tokensOf = (text: string) => (text.match(/\s?[^\s]+|\s/g) ?? []).map(idOf)
  let openBranches = 0

  function branch(rows: readonly number[]): Branch {
    openBranches++
    let held = rows
    let isOpen = true
    return {
      async *generate({ messages, maxNewTokens, topLogProbabilities, signal, onPrefill }: AnswerRequest): AsyncGenerator<GenerationPiece> {
        const prompt = messages.flatMap(({ role, content }) => [idOf(role), ...tokensOf(content)])
        let reused = 0
        while (reused < Math.min(prompt.length - 1, held.length) && held[reused] === prompt[reused]) reused++
        onPrefill({ done: prompt.length, total: prompt.length })
        await pause(stepMs * 4)
        signal.throwIfAborted()
        const ids = [...tokensOf(answer), 0].slice(0, maxNewTokens)
        for (const [i, id] of ids.entries()) {
          await pause(stepMs)
          signal.throwIfAborted()
          held = [...prompt, ...ids.slice(0, i)]
          const logProbability = -((i * 7919) % 97) / 30
          const isLast = i === ids.length - 1
          yield {
            text: id === 0 ? '' : (words[id] ?? ''),
            ids: [id],
            logProbabilities: [logProbability],
            topLogProbabilities: [
              Array.from({ length: topLogProbabilities }, (_, rank) => ({
                id: rank === 0 ? id : (id + rank) % words.length,
                logProbability: logProbability - rank,
              })),
            ],
            ...(isLast
              ? {
                  finishReason: id === 0 ? ('stop-token' as const) : ('length' as const),
                  statistics: {
                    promptTokens: prompt.length,
                    reusedTokens: reused,
                    newTokens: ids.length,
                    prefillMs: 4 * stepMs,
                    decodeMs: ids.length * stepMs,
                    tokensPerSecond: stepMs > 0 ? 1000 / stepMs : 0,
                  },
                }
              : {}),
          }
        }
      },
      fork: async () => branch(held),
      async [Symbol.asyncDispose]() {
        if (isOpen) openBranches--
        isOpen = false
      },
    }
  }

  return {
    name: 'stand-in',
    plan: {
      runtime: 'stand-in 1.0',
      provider: 'none',
      threads: 1,
      formats: { linear: 'int8-rows', head: 'int8-rows', embedding: 'f32' },
      exact: true,
      stepTimes: [1, 2, 4, 8, 16].flatMap((rows) =>
        [16, 1024].map((context) => ({ context, rows, stepMs: 12 + rows + context / 200, samples: 5 })),
      ),
      notes: ['one thread: the page is not cross-origin isolated'],
    },
    contextTokens: 2048,
    canChat: true,
    get openBranches() {
      return openBranches
    },
    memory: async () => ({ weightsBytes: 101_000_000, graphBytes: 12_000_000, cacheBytes: 3_000_000 }),
    openBranch: async () => branch([]),
    encode: async (text) => tokensOf(text),
    spell: async (ids): Promise<Spelling[]> =>
      ids.map((id) => ({ label: words[id] ?? '', bytes: [...new TextEncoder().encode(words[id] ?? '')], isSpecial: id === 0 })),
    lost: new Promise<never>(() => undefined),
    async [Symbol.asyncDispose]() {},
  }
}

function pause(ms: number): Promise<void> {
  return ms === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms))
}
