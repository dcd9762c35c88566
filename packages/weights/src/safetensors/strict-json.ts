/**
 * JSON as a weight file may contain it: objects become Maps (so `__proto__` is a name like any other), a key that is there twice is
 * an error (JSON.parse would keep the last one silently), nesting is bounded, and every error knows its place.
 * Grammar of RFC 8259. One pass; strings without escapes are slices.
 */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject
export type JsonObject = ReadonlyMap<string, JsonValue>

/** The text is not what it should be at a character. */
export class StrictJsonError extends Error {
  readonly problem: string
  /** Index of the character in the text. */
  readonly position: number
  /** Keys of the objects that enclose the place, outermost first. */
  readonly path: readonly string[]

  constructor(problem: string, position: number, path: readonly string[]) {
    super(`${problem} at character ${position}`)
    this.name = 'StrictJsonError'
    this.problem = problem
    this.position = position
    this.path = path
  }
}

/** Whether a value is an object. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map
}

/**
 * @param text      the whole document
 * @param maxDepth  how deeply arrays and objects may be nested
 * @throws {StrictJsonError} when the text is not JSON, is nested too deeply, or has a key twice in one object
 */
export function parseStrictJson(text: string, maxDepth: number): JsonValue {
  const parser = new Parser(text, maxDepth)
  return parser.document()
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

class Parser {
  readonly #text: string
  readonly #maxDepth: number
  readonly #path: string[] = []
  #position = 0

  constructor(text: string, maxDepth: number) {
    this.#text = text
    this.#maxDepth = maxDepth
  }

  document(): JsonValue {
    const value = this.#value(0)
    this.#skipSpace()
    if (this.#position < this.#text.length) throw this.#error('text after the end of the JSON value')
    return value
  }

  #value(depth: number): JsonValue {
    this.#skipSpace()
    switch (this.#text[this.#position]) {
      case '{':
        return this.#object(this.#deeper(depth))
      case '[':
        return this.#array(this.#deeper(depth))
      case '"':
        return this.#string()
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  #object(depth: number): JsonObject {
    const object = new Map<string, JsonValue>()
    this.#position++
    this.#skipSpace()
    if (this.#take('}')) return object
    for (;;) {
      this.#skipSpace()
      const start = this.#position
      if (this.#text[start] !== '"') throw this.#error('no key in double quotes')
      const key = this.#string()
      this.#path.push(key)
      if (object.has(key)) throw this.#error('a key that is there twice', start)
      this.#skipSpace()
      if (!this.#take(':')) throw this.#error('no colon after a key')
      object.set(key, this.#value(depth))
      this.#path.pop()
      this.#skipSpace()
      if (this.#take('}')) return object
      if (!this.#take(',')) throw this.#error('neither a comma nor the end of an object')
    }
  }

  #array(depth: number): readonly JsonValue[] {
    const array: JsonValue[] = []
    this.#position++
    this.#skipSpace()
    if (this.#take(']')) return array
    for (;;) {
      array.push(this.#value(depth))
      this.#skipSpace()
      if (this.#take(']')) return array
      if (!this.#take(',')) throw this.#error('neither a comma nor the end of an array')
    }
  }

  #string(): string {
    const text = this.#text
    let position = this.#position + 1
    let start = position
    let result = ''
    for (;;) {
      const code = text.charCodeAt(position)
      if (Number.isNaN(code)) throw this.#error('a string without an end')
      if (code === 0x22) break
      if (code < 0x20) throw this.#error('a control character in a string', position)
      if (code !== 0x5c) {
        position++
        continue
      }
      result += text.slice(start, position)
      const letter = text[position + 1] ?? ''
      if (letter === 'u') {
        const digits = text.slice(position + 2, position + 6)
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#error('an escape without four hexadecimal digits', position)
        result += String.fromCharCode(Number.parseInt(digits, 16))
        position += 6
      } else {
        const character = ESCAPES.get(letter)
        if (character === undefined) throw this.#error('an unknown escape in a string', position)
        result += character
        position += 2
      }
      start = position
    }
    this.#position = position + 1
    return result + text.slice(start, position)
  }

  #number(): number {
    NUMBER.lastIndex = this.#position
    const match = NUMBER.exec(this.#text)
    if (match === null) throw this.#error(this.#position >= this.#text.length ? 'the end of the text' : 'no JSON value')
    this.#position += match[0].length
    return Number(match[0])
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#position)) throw this.#error('no JSON value')
    this.#position += word.length
    return value
  }

  #deeper(depth: number): number {
    if (depth >= this.#maxDepth) throw this.#error(`more than ${this.#maxDepth} levels of nesting`)
    return depth + 1
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#position)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#position++
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#position] !== character) return false
    this.#position++
    return true
  }

  #error(problem: string, position = this.#position): StrictJsonError {
    return new StrictJsonError(problem, position, [...this.#path])
  }
}
