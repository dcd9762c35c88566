import { expect, test } from 'vitest'
import { parsePythonJson } from '../../src/config/python-json.ts'

test('infinities are read in both forms, and words inside of strings stay', () => {
  const text =
    '{"a": [0.0, Infinity], "b": -Infinity, "c": NaN, "d": {"__float__": "Infinity"}, "e": "\\"Infinity, NaN", "Infinity": "-Infinity"}'
  expect(parsePythonJson(text)).toEqual({
    a: [0, Number.POSITIVE_INFINITY],
    b: Number.NEGATIVE_INFINITY,
    c: Number.NaN,
    d: Number.POSITIVE_INFINITY,
    e: '"Infinity, NaN',
    Infinity: '-Infinity',
  })
})

test('what is plain JSON is read as JSON.parse reads it', () => {
  const text = '{"a": [1, -2.5e3, null, true], "b": {"__float__": 3, "c": "\\u00e9"}, "d": {"__float__": "x"}}'
  expect(parsePythonJson(text)).toEqual(JSON.parse(text))
  expect(() => parsePythonJson('{"a": Infinit}')).toThrow(SyntaxError)
})
