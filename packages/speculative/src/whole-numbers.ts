import { ArgumentError } from '@foretoken/tensor'

/** @throws {ArgumentError} unless every option is a whole number >= 1 */
export function checkWholeNumbers(options: Readonly<Record<string, number>>): void {
  for (const [field, value] of Object.entries(options)) {
    if (!Number.isSafeInteger(value) || value < 1) throw new ArgumentError({ field, found: String(value), expected: 'a whole number >= 1' })
  }
}
