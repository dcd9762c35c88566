/**
 * A chat template, read once and rendered for any conversation, with the behaviour of `apply_chat_template` in Hugging Face
 * transformers 5: which variables a template sees, which of several templates is taken, how a final message is continued.
 *
 * The source is parsed by `@huggingface/jinja`. It is evaluated here, for three things the library cannot give: strings that
 * remember what came from users (see `marked-text.ts`), one budget for everything that takes time (see `work-meter.ts`), and
 * Python's own results where the library takes JavaScript's.
 */
import type { ChatMessage, ChatTemplateOptions } from '../tokenizer.ts'
import { ChatTemplateError, isStackOverflow } from './chat-template-error.ts'
import { cutAtContinuation, withContinuation } from './continue-final-message.ts'
import { defineGlobals } from './global-functions.ts'
import { valueFromHost } from './host-value.ts'
import type { MarkedText } from './marked-text.ts'
import { parseTemplate } from './parse-template.ts'
import { runTemplate } from './run-template.ts'
import { Scope } from './scope.ts'
import type { Statement } from './syntax-tree.ts'
import { type ChatTemplateLimits, DEFAULT_LIMITS, WorkMeter } from './work-meter.ts'

/** Text of a rendering, and which ranges of it came from messages, tools and documents. */
export interface RenderedChat {
  readonly text: string
  /** start, end, start, end, … in UTF-16 units, ascending, not empty. */
  readonly foreignRanges: readonly number[]
}

export interface ChatRenderer {
  /** @throws {ChatTemplateError} when the template fails, refuses the conversation, or exceeds the limits */
  render(messages: readonly ChatMessage[], options?: ChatTemplateOptions): RenderedChat
}

/** One source, or several with names: `tool_use` is taken when tools are given, else `default`. */
export type ChatTemplateSource = string | ReadonlyMap<string, string>

export interface ChatRendererOptions {
  /** Texts that templates know by these names: `bos_token`, `eos_token`, … */
  readonly specialTokens?: Readonly<Record<string, string | undefined>>
  readonly limits?: Partial<ChatTemplateLimits>
  /** What `strftime_now` tells. Default: the time of the machine. */
  readonly clock?: () => Date
  /** Takes this one of several templates, whatever the call. */
  readonly templateName?: string
}

/**
 * Reads a chat template.
 *
 * @throws {ChatTemplateError} reason `syntax` or `limit` when it cannot be read
 */
export function chatTemplateFromSource(source: ChatTemplateSource, options: ChatRendererOptions = {}): ChatRenderer {
  const limits: ChatTemplateLimits = { ...DEFAULT_LIMITS, ...options.limits }
  const programs = new Map<string, Template>()
  for (const [name, text] of typeof source === 'string' ? [['default', source] as const] : source) {
    programs.set(name, { source: text, program: parseTemplate(text, limits) })
  }
  const named = options.templateName
  if (named !== undefined && !programs.has(named)) throw noTemplate(programs, named)
  return {
    render(messages, renderOptions = {}) {
      const template = programs.get(named ?? chosenName(programs, renderOptions))
      if (template === undefined) throw noTemplate(programs, 'default')
      try {
        return renderChat(template, messages, renderOptions, options, new WorkMeter(limits))
      } catch (error) {
        if (isStackOverflow(error))
          throw new ChatTemplateError('limit', 'a rendering nested too deep', 'one that fits on the stack', { cause: error })
        throw error
      }
    },
  }
}

interface Template {
  readonly source: string
  readonly program: readonly Statement[]
}

function chosenName(programs: ReadonlyMap<string, Template>, { tools }: ChatTemplateOptions): string {
  return tools !== undefined && programs.has('tool_use') ? 'tool_use' : 'default'
}

function noTemplate(programs: ReadonlyMap<string, Template>, name: string): ChatTemplateError {
  return new ChatTemplateError('input', `no chat template named ${name}`, `one of ${[...programs.keys()].sort().join(', ')}`)
}

function renderChat(
  template: Template,
  allMessages: readonly ChatMessage[],
  options: ChatTemplateOptions,
  { specialTokens = {}, clock = () => new Date() }: ChatRendererOptions,
  meter: WorkMeter,
): RenderedChat {
  checkCall(allMessages, options)
  const prepared = allMessages.map(prepareMessage)
  const continuation = options.continueFinalMessage === true ? withContinuation(prepared) : undefined

  const globals = new Scope()
  defineGlobals(globals, meter, clock)
  const scope = new Scope(globals)
  const define = (name: string, value: unknown, isForeign: boolean): void => {
    scope.set(name, valueFromHost(value, name, { isForeign, roleDepth: 1 }, meter))
  }
  for (const [name, token] of Object.entries(specialTokens)) if (token !== undefined) define(name, token, false)
  define('messages', continuation?.messages ?? prepared, true)
  define('tools', options.tools ?? null, true)
  define('documents', options.documents ?? null, true)
  define('add_generation_prompt', options.addGenerationPrompt ?? false, false)
  for (const [name, value] of Object.entries(options.variables ?? {})) if (value !== undefined) define(name, value, false)

  const rendered = runTemplate(template.program, scope, meter)
  return asRendered(continuation === undefined ? rendered : cutAtContinuation(rendered, continuation.text))
}

function asRendered({ text, marks }: MarkedText): RenderedChat {
  return { text, foreignRanges: marks }
}

function checkCall(
  messages: readonly ChatMessage[],
  { addGenerationPrompt, continueFinalMessage, tools, documents }: ChatTemplateOptions,
): void {
  if (messages.length === 0) throw new ChatTemplateError('input', 'an empty conversation', 'at least one message')
  if (addGenerationPrompt === true && continueFinalMessage === true) {
    throw new ChatTemplateError('input', 'addGenerationPrompt together with continueFinalMessage', 'one of them')
  }
  for (const [name, list] of [['messages', messages] as const, ['tools', tools ?? []] as const, ['documents', documents ?? []] as const]) {
    list.forEach((item: unknown, index) => {
      if (typeof item !== 'object' || item === null || Array.isArray(item)) {
        throw new ChatTemplateError('input', `${name}[${index}]: ${item === null ? 'null' : typeof item}`, 'an object')
      }
    })
  }
}

const REASONING_FIELDS = ['reasoning_content', 'thinking', 'reasoning'] as const

/**
 * As transformers prepares a message: fields that are null are left out, and reasoning is found under the names that
 * templates read, whichever name it came with.
 */
function prepareMessage(message: ChatMessage): ChatMessage {
  const fields = new Map(Object.entries(message).filter(([, value]) => value !== null && value !== undefined))
  const reasoning = REASONING_FIELDS.map((name) => fields.get(name)).find((value) => value !== undefined)
  if (reasoning !== undefined) {
    if (!fields.has('thinking')) fields.set('thinking', reasoning)
    fields.set('reasoning_content', reasoning)
  }
  // `content` may be gone where it was null: a template asks whether it is defined.
  return { role: message.role, content: undefined, ...Object.fromEntries(fields) }
}
