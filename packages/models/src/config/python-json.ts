/**
 * JSON as Python writes it: with `Infinity` and `NaN` as numbers, which the format does not have, or as an object
 * (`{"__float__": "Infinity"}`) in files of later versions of the reference. Mamba-2's `time_step_limit` ends with one.
 */

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g

/** NaN stays NaN, so that whoever reads the number refuses it. @throws {SyntaxError} as `JSON.parse` does */
export function parsePythonJson(text: string): unknown {
  // a number beyond the largest is read as infinite
  const plain = text.replace(STRING_OR_NUMBER, (found) =>
    found.startsWith('"') ? found : found === 'NaN' ? '{"__float__": "NaN"}' : found.replace('Infinity', '1e999'),
  )
  return JSON.parse(plain, (_, value: unknown) => writtenOut(value))
}

function writtenOut(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value)
  const [key, number] = entries[0] ?? []
  if (entries.length !== 1 || key !== '__float__') return value
  if (number === 'NaN') return Number.NaN
  return number === 'Infinity' ? Number.POSITIVE_INFINITY : number === '-Infinity' ? Number.NEGATIVE_INFINITY : value
}
