/** Values of options: parsed from text, refused with what was expected. */
import { WEIGHT_FORMATS, type WeightFormat } from '@foretoken/models'
import { InvalidArgumentError } from 'commander'

export function parseCount(text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) throw new InvalidArgumentError('expected a whole number from 0')
  return count
}

export function parsePositiveCount(text: string): number {
  const count = parseCount(text)
  if (count === 0) throw new InvalidArgumentError('expected a whole number from 1')
  return count
}

export function parseNumber(text: string): number {
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number)) throw new InvalidArgumentError('expected a number')
  return number
}

export function parseFormat(text: string): WeightFormat {
  const format = WEIGHT_FORMATS.find((known) => known === text)
  if (format === undefined) throw new InvalidArgumentError(`expected one of ${WEIGHT_FORMATS.join(', ')}`)
  return format
}

/** Token ids separated by spaces or commas, or a JSON list. */
export function parseTokens(text: string): readonly number[] {
  const ids = text
    .replace(/^\s*\[|\]\s*$/g, '')
    .split(/[\s,]+/)
    .filter((part) => part !== '')
  return ids.map(parseCount)
}

/** For options that may be given several times. */
export function collect(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, text]
}

export function collectCounts(text: string, previous: readonly number[] = []): readonly number[] {
  return [...previous, parseCount(text)]
}
