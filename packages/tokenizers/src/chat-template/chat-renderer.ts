/**
 * A chat template, read once and rendered for any conversation, with the behaviour of `apply_chat_template` in Hugging Face
 * transformers 5: which variables a template sees, which of several templates is taken, how a final message is continued. Templates
 * are read and run by `@huggingface/jinja`, within bounds; see `read-template.ts` and `bounded-interpreter.ts`.
 */
import { Environment } from '@huggingface/jinja'
import type { ChatMessage, ChatTemplateOptions } from '../tokenizer.ts'
import { BoundedInterpreter } from './bounded-interpreter.ts'
import { asChatTemplateError, ChatTemplateError } from './chat-template-error.ts'
import { cutAtContinuation, withContinuation } from './continue-final-message.ts'
import type { CallContext } from './filters.ts'
import { valueFromHost } from './host-value.ts'
import { pythonText } from './python-text.ts'
import { type PreparedTemplate, readTemplate } from './read-template.ts'
import { type SpecialTexts, type StandIns, specialTexts, standInsFor, takeStandInsOut } from './stand-ins.ts'
import { type ChatTemplateLimits, DEFAULT_LIMITS, StepBudget } from './step-budget.ts'
import { defineGlobals } from './template-globals.ts'

export interface RenderedChat {
  readonly text: string
  /** Signs of messages, tools and documents that must not be part of special tokens: start, end, start, end, … in UTF-16 units, ascending. */
  readonly foreignRanges: readonly number[]
}

export interface ChatRenderer {
  /**
   * @param special  what must not come to be of messages, tools and documents; default: nothing
   * @throws {ChatTemplateError} when the template fails, refuses the conversation, or exceeds the limits
   */
  render(messages: readonly ChatMessage[], options?: ChatTemplateOptions, special?: SpecialTexts): RenderedChat
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
  const sources = typeof source === 'string' ? new Map([['default', source]]) : source
  const templates = new Map(Array.from(sources, ([name, text]) => [name, readTemplate(text, limits)]))
  const find = (name: string): PreparedTemplate => {
    const template = templates.get(name)
    if (template !== undefined) return template
    throw new ChatTemplateError('input', `no chat template named ${name}`, `one of ${[...templates.keys()].sort().join(', ')}`)
  }
  if (options.templateName !== undefined) find(options.templateName)
  return {
    render(messages, renderOptions = {}, special = NOTHING_SPECIAL) {
      const automatic = renderOptions.tools !== undefined && templates.has('tool_use') ? 'tool_use' : 'default'
      return renderChat(find(options.templateName ?? automatic), messages, renderOptions, special, options, limits)
    },
  }
}

const NOTHING_SPECIAL = specialTexts([])

function renderChat(
  template: PreparedTemplate,
  allMessages: readonly ChatMessage[],
  options: ChatTemplateOptions,
  special: SpecialTexts,
  { specialTokens = {}, clock = () => new Date() }: ChatRendererOptions,
  limits: ChatTemplateLimits,
): RenderedChat {
  checkCall(allMessages, options)
  const prepared = allMessages.map(prepareMessage)
  const continuation = options.continueFinalMessage === true ? withContinuation(prepared) : undefined
  const foreign = { messages: continuation?.messages ?? prepared, tools: options.tools ?? null, documents: options.documents ?? null }
  const trusted = { ...specialTokens, add_generation_prompt: options.addGenerationPrompt ?? false, ...options.variables }

  let now: Date | undefined
  const time = (): Date => {
    now ??= clock()
    return now
  }
  const render = (put: (text: string) => string, note: (text: string) => void, standIns: StandIns['originals']): string => {
    const budget = new StepBudget(limits)
    const scope = new Environment()
    const define = (variables: object, of: (text: string) => string): void => {
      for (const [name, value] of Object.entries(variables)) {
        if (value !== undefined) scope.variables.set(name, valueFromHost(value, name, of, budget))
      }
    }
    defineGlobals(scope, budget, time)
    define(foreign, put)
    define(trusted, (text) => {
      note(text)
      return text
    })
    return run(template, scope, { budget, standIns })
  }
  const foreignTexts: string[] = []
  const otherTexts = [template.source]
  const asWritten = render(
    (text) => {
      foreignTexts.push(text)
      return text
    },
    (text) => otherTexts.push(text),
    new Map(),
  )
  const standIns = standInsFor(special, template.literals, foreignTexts, otherTexts)
  const { text, ranges } =
    standIns === undefined
      ? { text: asWritten, ranges: [] }
      : protect(
          asWritten,
          render(standIns.put, () => {}, standIns.originals),
          special,
          standIns,
        )
  if (continuation === undefined) return { text, foreignRanges: ranges }
  const cut = cutAtContinuation(text, continuation.text)
  return { text: cut, foreignRanges: ranges.map((border) => Math.min(border, cut.length)) }
}

/**
 * A template that looks at single signs prints something else where there are stand-ins. Then the rendering as written is taken if
 * it has the same special tokens; else the safe one, in which the template has not seen the signs.
 */
function protect(asWritten: string, rendered: string, special: SpecialTexts, { originals }: StandIns): ReturnType<typeof takeStandInsOut> {
  const safe = takeStandInsOut(rendered, special, originals)
  const isSame = safe.text === asWritten || special.tokensIn(asWritten) !== special.tokensIn(rendered)
  return isSame ? safe : { text: asWritten, ranges: [] }
}

function run(template: PreparedTemplate, scope: Environment, context: CallContext): string {
  try {
    return pythonText(new BoundedInterpreter(template, scope, context).run(template.program), context.budget)
  } catch (error) {
    throw asChatTemplateError(error, 'evaluation')
  }
}

function checkCall(messages: readonly ChatMessage[], options: ChatTemplateOptions): void {
  const { addGenerationPrompt, continueFinalMessage, tools = [], documents = [] } = options
  if (messages.length === 0) throw new ChatTemplateError('input', 'an empty conversation', 'at least one message')
  if (addGenerationPrompt === true && continueFinalMessage === true) {
    throw new ChatTemplateError('input', 'addGenerationPrompt together with continueFinalMessage', 'one of them')
  }
  for (const [name, list] of [['messages', messages] as const, ['tools', tools] as const, ['documents', documents] as const]) {
    list.forEach((item: unknown, index) => {
      if (typeof item === 'object' && item !== null && !Array.isArray(item)) return
      throw new ChatTemplateError('input', `${name}[${index}]: ${item === null ? 'null' : typeof item}`, 'an object')
    })
  }
}

const REASONING_FIELDS = ['reasoning_content', 'thinking', 'reasoning'] as const

/**
 * As transformers prepares a message: fields that are null are left out, and reasoning is found under the names that templates
 * read, whichever name it came with.
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
