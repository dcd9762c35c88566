/** The chat that is open: its branches, the answer that is being written, and where it is kept. */
import { labelled, runAnswer } from '../lib/answer-run.ts'
import { type BranchPool, branchPool } from '../lib/branch-pool.ts'
import { type ChatHistory, openChatHistory } from '../lib/chat-history.ts'
import {
  type ConversationTree,
  EMPTY_TREE,
  pathTo,
  shownPath,
  showVersion,
  type Turn,
  versions,
  withoutTurn,
  withTurn,
} from '../lib/conversation-tree.ts'
import { describeFailure, type Failure } from '../lib/describe-failure.ts'
import { withDraftMarks } from '../lib/drafted-tokens.ts'
import type { Message, ModelSession } from '../lib/model-session.ts'
import { chatTitle, type SavedChat } from '../lib/saved-chat.ts'
import { sentenceAnnouncer } from '../lib/sentence-announcer.ts'
import { samplingOf } from '../lib/settings.ts'
import { type TokenLabels, tokenLabels } from '../lib/token-labels.ts'
import type { TokenRecord } from '../lib/token-record.ts'
import { model } from './model.svelte.ts'
import { settings } from './settings.svelte.ts'
import { view } from './view.svelte.ts'

/** Alternatives that are shown for a token. */
const ALTERNATIVES = 6
/** The memory is looked at after so many tokens. */
const TOKENS_PER_LOOK = 16

interface Writing {
  readonly turn: string
  readonly parent: string
  readonly prefill: { readonly done: number; readonly total: number } | undefined
  readonly isFork: boolean
}

class Chat {
  id = $state<string>(crypto.randomUUID())
  tree = $state.raw<ConversationTree>(EMPTY_TREE)
  writing = $state.raw<Writing | undefined>(undefined)
  /** Of the answer that is being written, or was written last. */
  tokens = $state<TokenRecord[]>([])
  failure = $state.raw<Failure | undefined>(undefined)
  /** Why chats are not kept, if they are not. */
  historyFailure = $state.raw<Failure | undefined>(undefined)
  saved = $state.raw<readonly SavedChat[]>([])
  /** Counts up when labels of tokens have come. */
  labelled = $state(0)
  /** Bytes of the caches over the tokens of this visit. */
  cacheBytes = $state.raw<readonly number[]>([])
  #history: ChatHistory | undefined
  #pool: { readonly session: ModelSession; readonly branches: BranchPool; readonly labels: TokenLabels } | undefined
  #abort: AbortController | undefined
  #isStopped = false
  #answering: Promise<void> = Promise.resolve()

  readonly path = $derived(shownPath(this.tree))

  async open(): Promise<void> {
    try {
      this.#history = await openChatHistory()
      this.saved = await this.#history.all()
      const [newest] = this.saved
      if (newest !== undefined && this.tree.turns.length === 0) await this.show(newest)
    } catch (error) {
      this.historyFailure = describeFailure(error)
    }
  }

  /** An answer that is being written is stopped and stays in its chat. */
  async show({ id, tree }: Pick<SavedChat, 'id' | 'tree'>): Promise<void> {
    this.stop()
    await this.#answering
    this.id = id
    this.tree = tree
    this.tokens = []
    this.failure = undefined
    view.selected = undefined
  }

  async startNew(): Promise<void> {
    await this.show({ id: crypto.randomUUID(), tree: EMPTY_TREE })
  }

  async remove(id: string): Promise<void> {
    if (id === this.id) await this.startNew()
    this.saved = this.saved.filter((chat) => chat.id !== id)
    await this.#kept((history) => history.remove(id))
  }

  versionsOf(turn: Turn): readonly Turn[] {
    return versions(this.tree, turn.parent)
  }

  showVersion(turn: Turn, step: number): void {
    if (this.writing !== undefined) return
    this.tree = showVersion(this.tree, turn.id, step)
    void this.#save()
  }

  label(id: number): string | undefined {
    return this.labelled >= 0 ? this.#pool?.labels.get(id) : undefined
  }

  async ask(text: string): Promise<void> {
    const last = this.path.at(-1)
    // a question that got no answer is left beside the new one
    const parent = last?.role === 'user' ? last.parent : (last?.id ?? null)
    await this.#askAt(parent, text)
  }

  async edit(turn: Turn, text: string): Promise<void> {
    await this.#askAt(turn.parent, text)
  }

  /** Another version of an answer; for a question the first one. */
  async again(turn: Turn): Promise<void> {
    const question = turn.role === 'user' ? turn.id : turn.parent
    if (question !== null) await this.#answer(question)
  }

  stop(): void {
    if (this.writing === undefined) return
    this.#isStopped = true
    if (this.tokens.length === 0) this.#abort?.abort()
  }

  /** Gives back the caches; the turns stay. */
  async releaseCaches(): Promise<void> {
    this.stop()
    await this.#answering
    const pool = this.#pool
    this.#pool = undefined
    this.cacheBytes = []
    await pool?.branches[Symbol.asyncDispose]()
  }

  async #askAt(parent: string | null, text: string): Promise<void> {
    if (this.writing !== undefined || model.session === undefined) return
    const turn: Turn = { id: crypto.randomUUID(), parent, role: 'user', text, tokens: [] }
    this.tree = withTurn(this.tree, turn)
    void this.#save()
    await this.#answer(turn.id)
  }

  async #answer(question: string): Promise<void> {
    const { session } = model
    if (this.writing !== undefined || session === undefined) return
    this.#answering = this.#write(question, session)
    await this.#answering
  }

  async #write(question: string, session: ModelSession): Promise<void> {
    const path = pathTo(this.tree, question)
    const turn: Turn = { id: crypto.randomUUID(), parent: question, role: 'assistant', text: '', tokens: [] }
    const sequence = versions(this.tree, question).length
    const tokens: TokenRecord[] = []
    this.#abort = new AbortController()
    this.#isStopped = false
    this.failure = undefined
    this.tokens = []
    this.tree = withTurn(this.tree, turn)
    this.writing = { turn: turn.id, parent: question, prefill: undefined, isFork: false }
    const announcer = sentenceAnnouncer()
    let ended: Turn | undefined
    try {
      const { branches, labels } = this.#poolOf(session)
      const lent = await branches.lend(path.map(({ id }) => id))
      this.writing = { ...this.writing, isFork: lent.isFork }
      try {
        const value = settings.value
        const end = await runAnswer(
          lent.branch,
          {
            messages: messagesOf(path, value.system),
            sampling: samplingOf(value),
            sequence,
            maxNewTokens: value.maxNewTokens,
            topLogProbabilities: ALTERNATIVES,
            speculate: value.speculate,
            signal: this.#abort.signal,
            onPrefill: (prefill) => {
              if (this.writing?.turn === turn.id) this.writing = { ...this.writing, prefill }
            },
          },
          labels,
          (token) => {
            tokens.push(token)
            this.tokens.push(token)
            const said = announcer.push(token.text)
            if (said !== '') view.announce(said)
            if (tokens.length % TOKENS_PER_LOOK === 0) void this.#look()
          },
          () => this.#isStopped,
        )
        lent.keep([...path.map(({ id }) => id), turn.id])
        await labels.settled()
        ended = { ...turn, ...end, text: textOf(tokens), tokens: withDraftMarks(labelled(tokens, labels), end.statistics?.speculation) }
        view.announce(`${announcer.flush()} ${end.ending === 'stopped' ? 'Stopped.' : 'End of the answer.'}`)
      } catch (error) {
        await lent.undo()
        throw error
      }
    } catch (error) {
      this.failure = describeFailure(error)
      if (tokens.length > 0) ended = { ...turn, ending: 'failed', text: textOf(tokens), tokens }
    }
    this.writing = undefined
    this.tree = ended === undefined || ended.tokens.length === 0 ? withoutTurn(this.tree, turn.id) : withTurn(this.tree, ended)
    await this.#look()
    await this.#save()
  }

  #poolOf(session: ModelSession) {
    if (this.#pool?.session !== session) {
      const labels = tokenLabels(session, () => this.labelled++)
      this.#pool = { session, labels, branches: branchPool(() => session.openBranch()) }
    }
    return this.#pool
  }

  async #look(): Promise<void> {
    await model.measure()
    if (model.memory !== undefined) this.cacheBytes = [...this.cacheBytes, model.memory.cacheBytes]
  }

  async #save(): Promise<void> {
    if (this.tree.turns.length === 0) return
    const chat: SavedChat = {
      id: this.id,
      title: chatTitle(this.tree),
      model: model.session?.name ?? '',
      changedAt: Date.now(),
      tree: this.tree,
    }
    this.saved = [chat, ...this.saved.filter(({ id }) => id !== chat.id)]
    await this.#kept((history) => history.save(chat))
  }

  async #kept(act: (history: ChatHistory) => Promise<void>): Promise<void> {
    try {
      if (this.#history !== undefined) await act(this.#history)
    } catch (error) {
      this.historyFailure = describeFailure(error)
    }
  }
}

function textOf(tokens: readonly TokenRecord[]): string {
  return tokens.map(({ text }) => text).join('')
}

function messagesOf(path: readonly Turn[], system: string): readonly Message[] {
  const opening: readonly Message[] = system.trim() === '' ? [] : [{ role: 'system', content: system }]
  return [...opening, ...path.map(({ role, text }) => ({ role, content: text }))]
}

export const chat = new Chat()
