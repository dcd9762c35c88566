/**
 * Text that remembers which of its characters came from outside of the template.
 *
 * A chat template mixes its own control tokens with what people typed. Once both are one string, `<|im_end|>` in a message
 * cannot be told from the template's own. So every string of a rendering carries marks: ranges of UTF-16 units that came from
 * a message, a tool or a document. All string operations of the templates are made of `join` and `slice`, which keep the
 * marks, so trimming, splitting, replacing and JSON-encoding cannot lose them.
 */
export interface MarkedText {
  readonly kind: 'text'
  readonly text: string
  /** Ranges from outside: start, end, start, end, … in UTF-16 units, ascending, apart, not empty. */
  readonly marks: readonly number[]
}

const NO_MARKS: readonly number[] = []

/** Text of the template itself. */
export function plainText(text: string): MarkedText {
  return { kind: 'text', text, marks: NO_MARKS }
}

/** Text from outside of the template. */
export function foreignText(text: string): MarkedText {
  return { kind: 'text', text, marks: text.length === 0 ? NO_MARKS : [0, text.length] }
}

export const EMPTY_TEXT: MarkedText = plainText('')

/** Collects text piece by piece; neighbouring marked ranges grow together. */
export class TextBuilder {
  #parts: string[] = []
  #marks: number[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  add(piece: MarkedText): void {
    for (let index = 0; index < piece.marks.length; index += 2) {
      this.#mark(this.#length + (piece.marks[index] ?? 0), this.#length + (piece.marks[index + 1] ?? 0))
    }
    this.#append(piece.text)
  }

  addString(text: string, isForeign: boolean): void {
    if (isForeign && text.length > 0) this.#mark(this.#length, this.#length + text.length)
    this.#append(text)
  }

  finish(): MarkedText {
    return { kind: 'text', text: this.#parts.join(''), marks: this.#marks }
  }

  #append(text: string): void {
    if (text.length === 0) return
    this.#parts.push(text)
    this.#length += text.length
  }

  #mark(start: number, end: number): void {
    const last = this.#marks.length - 1
    if (last > 0 && this.#marks[last] === start) this.#marks[last] = end
    else this.#marks.push(start, end)
  }
}

export function joinTexts(...pieces: readonly MarkedText[]): MarkedText {
  const builder = new TextBuilder()
  for (const piece of pieces) builder.add(piece)
  return builder.finish()
}

/** @param start, end  UTF-16 units, 0 <= start <= end <= length */
export function sliceText(source: MarkedText, start: number, end: number = source.text.length): MarkedText {
  if (start === 0 && end === source.text.length) return source
  const text = source.text.slice(start, end)
  if (source.marks.length === 0) return plainText(text)
  const marks: number[] = []
  for (let index = firstMarkAfter(source.marks, start); index < source.marks.length; index += 2) {
    const from = Math.max(source.marks[index] ?? 0, start)
    const to = Math.min(source.marks[index + 1] ?? 0, end)
    if (from >= end) break
    if (to > from) marks.push(from - start, to - start)
  }
  return { kind: 'text', text, marks }
}

/** Applies `change` to each stretch that is wholly marked or wholly unmarked. */
export function mapStretches(source: MarkedText, change: (text: string) => string): MarkedText {
  if (source.marks.length === 0) return plainText(change(source.text))
  const builder = new TextBuilder()
  let position = 0
  for (let index = 0; index < source.marks.length; index += 2) {
    const start = source.marks[index] ?? 0
    const end = source.marks[index + 1] ?? 0
    if (start > position) builder.addString(change(source.text.slice(position, start)), false)
    builder.addString(change(source.text.slice(start, end)), true)
    position = end
  }
  if (position < source.text.length) builder.addString(change(source.text.slice(position)), false)
  return builder.finish()
}

/** Applies a change that may look at the whole text; when the length changes, all of the result counts as foreign if anything did. */
export function mapWhole(source: MarkedText, change: (text: string) => string): MarkedText {
  const text = change(source.text)
  if (text.length === source.text.length) return { kind: 'text', text, marks: source.marks }
  return source.marks.length > 0 ? foreignText(text) : plainText(text)
}

/** Index of the first pair whose end lies beyond `position`. */
function firstMarkAfter(marks: readonly number[], position: number): number {
  let low = 0
  let high = marks.length >> 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((marks[middle * 2 + 1] ?? 0) > position) high = middle
    else low = middle + 1
  }
  return low * 2
}
