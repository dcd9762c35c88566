/**
 * Bounds of a rendering. Templates come with models from strangers and may loop for ever, so everything that takes time is
 * paid for from one budget: a step for each node that is evaluated and each element that is touched, and a step for a number
 * of characters. The count does not depend on the machine: the same template and conversation always end the same way.
 */
import { ChatTemplateError } from './chat-template-error.ts'

export interface ChatTemplateLimits {
  /** Length of the template in UTF-16 units. Default 1,000,000. */
  readonly sourceCharacters: number
  /** How deep blocks and brackets may be nested. Default 200. */
  readonly nesting: number
  /** Length of any text a rendering makes, its output included. Default 10,000,000. */
  readonly textCharacters: number
  /** Steps of one rendering. Default 3,000,000, which is below a second; templates in use take some thousand. */
  readonly steps: number
}

export const DEFAULT_LIMITS: ChatTemplateLimits = {
  sourceCharacters: 1_000_000,
  nesting: 200,
  textCharacters: 10_000_000,
  steps: 3_000_000,
}

/** Macros calling macros; Python gives up at about the same depth. */
const MAX_CALL_DEPTH = 200

export class WorkMeter {
  readonly limits: ChatTemplateLimits
  #stepsLeft: number
  #depth = 0

  constructor(limits: ChatTemplateLimits) {
    this.limits = limits
    this.#stepsLeft = limits.steps
  }

  spend(steps: number): void {
    this.#stepsLeft -= steps
    if (this.#stepsLeft < 0) {
      throw new ChatTemplateError('limit', 'a rendering that does not end', `at most ${this.limits.steps} steps`)
    }
  }

  /** A text of this length is about to be made. */
  makeText(length: number): void {
    if (length > this.limits.textCharacters) {
      throw new ChatTemplateError('limit', `a text of ${length} characters`, `at most ${this.limits.textCharacters}`)
    }
    this.spend(1 + (length >>> 6))
  }

  /** Every character of a text of this length is looked at. */
  scan(length: number): void {
    this.spend(1 + (length >>> 3))
  }

  /** A needle is searched in a text; in the worst case every position is compared with all of the needle. */
  search(textLength: number, needleLength: number): void {
    this.spend(1 + Math.ceil((textLength / 64) * (1 + needleLength / 16)))
  }

  enterCall(): void {
    this.#depth += 1
    if (this.#depth > MAX_CALL_DEPTH) {
      throw new ChatTemplateError('limit', 'macros that call each other without end', `at most ${MAX_CALL_DEPTH} calls inside each other`)
    }
  }

  leaveCall(): void {
    this.#depth -= 1
  }
}
