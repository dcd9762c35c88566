/** Values of options: parsed from text, refused with what was expected before anything is loaded. */
import { WEIGHT_FORMATS, type WeightFormat } from '@foretoken/models'
import { InvalidArgumentError } from 'commander'

export function parseCount(text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) throw new InvalidArgumentError('Expected a whole number from 0.')
  return count
}

export function parsePositiveCount(text: string): number {
  const count = parseCount(text)
  if (count === 0) throw new InvalidArgumentError('Expected a whole number from 1.')
  return count
}

/** A parser for finite numbers that hold a condition, which is said in words. */
export function parseNumber(holds: (number: number) => boolean, expected: string): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (text.trim() === '' || !Number.isFinite(number) || !holds(number)) throw new InvalidArgumentError(`Expected ${expected}.`)
    return number
  }
}

export function parseFormat(text: string): WeightFormat {
  const format = WEIGHT_FORMATS.find((known) => known === text)
  if (format === undefined) throw new InvalidArgumentError(`Expected one of ${WEIGHT_FORMATS.join(', ')}.`)
  return format
}

/** Token ids separated by spaces or commas, or a JSON list. */
export function parseTokens(text: string): readonly number[] {
  const ids = text
    .trim()
    .replace(/^\[(.*)\]$/s, '$1')
    .split(/[\s,]+/)
    .filter((part) => part !== '')
  if (ids.length === 0) throw new InvalidArgumentError('Expected at least one token id.')
  return ids.map((id) => {
    if (!/^\d{1,15}$/.test(id)) throw new InvalidArgumentError(`Expected token ids such as "1 2 3", found ${JSON.stringify(id)}.`)
    return Number(id)
  })
}

/** For texts that may be given several times. */
export function collectTexts(text: string, previous: readonly string[] = []): readonly string[] {
  if (text === '') throw new InvalidArgumentError('Expected a text.')
  return [...previous, text]
}

/** For numbers that may be given several times, or several at once. */
export function collectCounts(parse: (text: string) => number): (text: string, previous?: readonly number[]) => readonly number[] {
  return (text, previous = []) => [...previous, ...text.split(',').map(parse)]
}
