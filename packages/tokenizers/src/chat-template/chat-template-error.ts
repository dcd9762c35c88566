import { TokenizerError } from '../errors.ts'

export type ChatTemplateFailure =
  /** The source is not a template that we can read. */
  | 'syntax'
  /** An expression of the template failed: an undefined value was used, types do not fit, … */
  | 'evaluation'
  /** The template itself refused the conversation with `raise_exception`; `found` holds its words. */
  | 'refused'
  /** Size, nesting, steps or output exceed the limits. */
  | 'limit'
  /** The call was wrong: no messages, a message that is not an object, options that contradict each other, … */
  | 'input'

/** A chat template cannot be read or rendered; `reason` tells programs in which way it failed. */
export class ChatTemplateError extends TokenizerError {
  readonly code = 'chat-template'
  readonly reason: ChatTemplateFailure

  constructor(reason: ChatTemplateFailure, found: string, expected: string, options?: ErrorOptions) {
    super({ field: 'chat_template', found, expected }, options)
    this.reason = reason
  }
}

/** Whatever was thrown while a template was read or rendered, as an error of this package. A full stack is a limit. */
export function asChatTemplateError(error: unknown, reason: 'syntax' | 'evaluation'): ChatTemplateError {
  if (error instanceof ChatTemplateError) return error
  if (error instanceof RangeError || (error instanceof Error && error.name === 'InternalError')) {
    return new ChatTemplateError('limit', 'a template nested too deep or a text too long', 'one that fits', { cause: error })
  }
  const message = error instanceof Error ? error.message : 'a jump out of no loop'
  const expected = reason === 'syntax' ? 'a Jinja template' : 'a template that fits the conversation'
  return new ChatTemplateError(reason, message, expected, { cause: error })
}
