import { TokenizerFormatError } from '../errors.ts'

/** @throws {TokenizerFormatError} naming the file when it is not JSON */
export function parseJsonFile(source: string, file: string): unknown {
  try {
    return JSON.parse(source)
  } catch (error) {
    const found = error instanceof Error ? `what is not JSON (${error.message})` : 'what is not JSON'
    throw new TokenizerFormatError({ file, found, expected: 'JSON' }, { cause: error })
  }
}
