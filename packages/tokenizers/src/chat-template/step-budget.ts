/**
 * Bounds of a rendering. Templates come with models from strangers and may loop for ever, so everything that takes time is paid
 * from one budget: a step for each evaluated node, and steps for the characters and elements that it makes or looks through. The
 * count does not depend on the machine: the same template and conversation always end in the same way.
 */
import { ChatTemplateError } from './chat-template-error.ts'

export interface ChatTemplateLimits {
  /** Length of the template in UTF-16 units. Default 1,000,000. */
  readonly sourceCharacters: number
  /** How deep blocks, brackets and calls of macros may be nested. Default 200. */
  readonly nesting: number
  /** Length of any text that a rendering makes, its output included. Default 10,000,000. */
  readonly textCharacters: number
  /** Steps of one rendering. Default 2,000,000, about half a second; templates in use take some thousand. */
  readonly steps: number
}

export const DEFAULT_LIMITS: ChatTemplateLimits = {
  sourceCharacters: 1_000_000,
  nesting: 200,
  textCharacters: 10_000_000,
  steps: 2_000_000,
}

export class StepBudget {
  readonly limits: ChatTemplateLimits
  #steps: number
  #calls = 0

  constructor(limits: ChatTemplateLimits) {
    this.limits = limits
    this.#steps = limits.steps
  }

  spend(steps: number): void {
    this.#steps -= steps
    if (this.#steps < 0) throw new ChatTemplateError('limit', 'a rendering that does not end', `at most ${this.limits.steps} steps`)
  }

  /** A text of this length is put together from others, which takes no copy. */
  joinText(length: number): void {
    if (length > this.limits.textCharacters) {
      throw new ChatTemplateError('limit', `a text of ${length} characters`, `at most ${this.limits.textCharacters}`)
    }
  }

  /** A text of this length is written. */
  makeText(length: number): void {
    this.joinText(length)
    this.spend(length >>> 5)
  }

  /** A part is looked for in a text; in the worst case all of it is compared at every position. */
  search(textLength: number, partLength: number): void {
    this.spend(Math.ceil((textLength / 64) * (1 + partLength / 16)))
  }

  /** Runs a macro, one level deeper. */
  call<T>(run: () => T): T {
    this.#calls += 1
    if (this.#calls > this.limits.nesting) {
      throw new ChatTemplateError(
        'limit',
        'macros that call each other without end',
        `at most ${this.limits.nesting} calls inside each other`,
      )
    }
    try {
      return run()
    } finally {
      this.#calls -= 1
    }
  }
}
