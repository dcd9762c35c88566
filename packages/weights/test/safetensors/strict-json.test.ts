import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isJsonObject, type JsonValue, parseStrictJson, StrictJsonError } from '../../src/safetensors/strict-json.ts'

/** Maps back to plain objects, to be compared with what JSON.parse gives. */
function plain(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!isJsonObject(value)) return value
  return Object.fromEntries([...value].map(([key, entry]) => [key, plain(entry)]))
}

describe('strict JSON', () => {
  test('what JSON.stringify writes is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.nat(3), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), null, indent)
        expect(plain(parseStrictJson(text, 50))).toEqual(JSON.parse(text))
      }),
    )
  })

  test('text that JSON.parse refuses is refused, and the other way round unless a key is there twice', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.nat(), fc.string({ maxLength: 2 }), (json, where, inserted) => {
        const at = where % (json.length + 1)
        const text = json.slice(0, at) + inserted + json.slice(at + inserted.length)
        let expected: 'sound' | 'broken' = 'sound'
        try {
          JSON.parse(text)
        } catch {
          expected = 'broken'
        }
        try {
          parseStrictJson(text, 50)
          expect(expected).toBe('sound')
        } catch (error) {
          if (!(error instanceof StrictJsonError)) throw error
          if (!error.problem.includes('twice')) expect(expected).toBe('broken')
        }
      }),
      { numRuns: 500 },
    )
  })

  test('escapes, surrogates and numbers have the values that RFC 8259 gives them', () => {
    expect(parseStrictJson('"\\u00df\\ud83d\\ude00\\n\\/"', 1)).toBe('ß😀\n/')
    expect(parseStrictJson('[0, -0.5e2, 1E+3]', 1)).toEqual([0, -50, 1000])
    for (const text of ['01', '+1', '.5', '1.', 'NaN', '"\\x"', '"\\u12g4"', '"\n"', "'a'", '[1,]', '{"a":1,}', '{a:1}', '']) {
      expect(() => parseStrictJson(text, 5), text).toThrow(StrictJsonError)
    }
  })

  test('an error knows its place', () => {
    try {
      parseStrictJson('{"a":{"b":1,"b":2}}', 5)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ position: 12, path: ['a', 'b'] })
    }
  })
})
