import { TokenizerError } from '../errors.ts'

export type ChatTemplateFailure =
  /** The source is not a template we can read. */
  | 'syntax'
  /** The template was read, but an expression in it failed: an undefined value was used, types do not fit, … */
  | 'evaluation'
  /** The template itself refused the conversation with `raise_exception`; `found` holds its words. */
  | 'refused'
  /** Size, nesting, steps or output exceed the limits. */
  | 'limit'
  /** The call was wrong: no messages, a message that is not an object, incompatible options, … */
  | 'input'

/** A chat template cannot be read or rendered; `reason` tells programs which of the ways to fail it was. */
export class ChatTemplateError extends TokenizerError {
  readonly code = 'chat-template'
  readonly reason: ChatTemplateFailure

  constructor(reason: ChatTemplateFailure, found: string, expected: string, options?: ErrorOptions) {
    super({ field: 'chat_template', found, expected }, options)
    this.reason = reason
  }
}

/** V8 and JavaScriptCore throw a RangeError when the stack is full, SpiderMonkey an InternalError. */
export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof Error && error.name === 'InternalError')
}
