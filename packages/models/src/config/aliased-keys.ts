/**
 * Keys that go by several names: the configuration classes of older models (GPT-2, Bloom, MPT, Falcon) have names of their own and
 * accept the common ones as well, and published files use either.
 */
import type { ConfigReader } from './config-reader.ts'

/**
 * The name that the file uses, or the first one where it uses none.
 *
 * @throws {ConfigError} when the file has two of the names and they disagree
 */
export function keyAmong(config: ConfigReader, names: readonly [string, ...string[]]): string {
  const present = names.filter((name) => config.has(name))
  const [first, second] = present
  if (first !== undefined && second !== undefined && config.number(first) !== config.number(second)) {
    config.refuse(second, `${config.number(second)}`, `${config.number(first)}, as ${first} says`)
  }
  return first ?? names[0]
}
