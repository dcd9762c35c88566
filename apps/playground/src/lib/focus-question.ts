/** Id of the field that questions are written in. */
export const QUESTION_FIELD = 'question'

/** Where the keyboard goes when what had it is gone: from there Enter asks and Escape stops. */
export function focusQuestion(): void {
  document.getElementById(QUESTION_FIELD)?.focus()
}
