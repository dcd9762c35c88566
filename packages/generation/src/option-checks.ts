import { ArgumentError } from '@foretoken/tensor'

/** @throws {ArgumentError} unless the value is a whole number from `least` to `most` */
export function checkCount(field: string, value: number, least: number, most: number = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    const expected = most === Number.MAX_SAFE_INTEGER ? `a whole number >= ${least}` : `a whole number from ${least} to ${most}`
    throw new ArgumentError({ field, found: String(value), expected })
  }
}

/** @throws {ArgumentError} for a field of `options` that is not among `names` */
export function checkNames(options: object, names: ReadonlySet<string>): void {
  for (const name of Object.keys(options)) {
    if (!names.has(name)) throw new ArgumentError({ field: name, found: 'an unknown option', expected: 'one that is documented' })
  }
}
