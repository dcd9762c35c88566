/** The model that runs: in a worker of its own, so that the page never waits for it. */
import {
  type HostedConversation,
  type HostedModel,
  type HostedProgress,
  loadInWorker,
  type ModelSource,
  type TokenView,
} from '@foretoken/worker'
import { type ModelRequest, requestName } from './model-request.ts'
import type { Branch, LoadProgress, ModelSession, Spelling } from './model-session.ts'
import { ChatModelError } from './playground-errors.ts'

export interface OpenOptions {
  /** Whether only what this browser has kept may be opened. */
  readonly isOnlyKept: boolean
  readonly provider: 'wasm' | 'webgpu'
  /** Another hub, e.g. a mirror. */
  readonly endpoint?: string
  readonly signal: AbortSignal
  readonly onProgress: (progress: LoadProgress) => void
}

/** Among the files of the origin: what a later start finds converted. */
const CONVERTED_FOLDER = 'foretoken/converted'
const MOST_CONVERTED_BYTES = 4 * 2 ** 30

/** @throws what `loadInWorker` throws */
export async function openWorkerSession(
  request: ModelRequest,
  { isOnlyKept, provider, endpoint, signal, onProgress }: OpenOptions,
): Promise<ModelSession> {
  const model = await loadInWorker(sourceOf(request), {
    signal,
    runtime: { provider },
    convertedFolder: CONVERTED_FOLDER,
    convertedLimitBytes: MOST_CONVERTED_BYTES,
    hub: { offline: isOnlyKept, ...(endpoint === undefined ? {} : { endpoint }) },
    onProgress: (progress) => onProgress(shownProgress(progress)),
  })
  const { tokenizer } = model
  const needTokenizer = () => {
    if (tokenizer !== undefined) return tokenizer
    throw new ChatModelError({
      field: 'tokenizer',
      found: 'a model without tokenizer files',
      expected: 'tokenizer.json beside the weights',
    })
  }
  return {
    name: requestName(request),
    plan: model.plan,
    contextTokens: model.config.maxPositions,
    canChat: tokenizer?.hasChatTemplate === true,
    memory: () => model.memory(),
    openBranch: async () => branchOf(model, await model.openConversation()),
    encode: async (text) => [...(await needTokenizer().encode(text, { addSpecialTokens: false }))],
    spell: async (ids) => (await needTokenizer().viewIds(ids)).map(spellingOf),
    lost: model.ended.then((crash) => (crash === undefined ? new Promise<never>(() => undefined) : Promise.reject(crash))),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  }
}

function branchOf(model: HostedModel, conversation: HostedConversation): Branch {
  return {
    generate: ({ speculate, messages, ...options }) =>
      model.generate({
        ...options,
        messages: messages.map(({ role, content }) => ({ role, content })),
        conversation,
        speculate: speculate ? 'auto' : 'off',
      }),
    fork: async () => branchOf(model, await conversation.fork()),
    [Symbol.asyncDispose]: () => conversation[Symbol.asyncDispose](),
  }
}

function sourceOf(request: ModelRequest): ModelSource {
  if (request.kind === 'hub') return request.id
  const [only, ...more] = request.files.values()
  return only !== undefined && more.length === 0 ? only : new Map(request.files)
}

function shownProgress(progress: HostedProgress): LoadProgress {
  if (progress.phase === 'download') {
    return {
      stage: 'download',
      doneBytes: progress.receivedBytes,
      totalBytes: progress.totalBytes,
      bytesPerSecond: progress.bytesPerSecond,
    }
  }
  return { stage: 'convert', doneBytes: progress.doneBytes, totalBytes: progress.totalBytes }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A token's text; of half a character its bytes. */
function spellingOf({ id, token, bytes, isSpecial }: TokenView): Spelling {
  const label = () => {
    if (isSpecial || bytes.length === 0) return token ?? `#${id}`
    try {
      return strict.decode(bytes)
    } catch {
      return `‹${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}›`
    }
  }
  return { label: label(), bytes: [...bytes], isSpecial }
}
