import { UnsendableError } from '@foretoken/worker'
import { expect, test } from 'vitest'
import { requirePlainData } from '../../src/messages/plain-data.ts'

test('numbers, texts, typed arrays, maps and nested plain objects may be sent', () => {
  const shared = { a: 1 }
  const data = {
    n: 1,
    s: 'x',
    u: undefined,
    z: null,
    big: 1n,
    list: [shared, shared],
    map: new Map([[1, Float32Array.of(1)]]),
    blob: new Blob([]),
  }
  expect(() => requirePlainData(data, 'options')).not.toThrow()
})

test('what contains itself is looked through once', () => {
  const data: Record<string, unknown> = {}
  data.self = data
  expect(() => requirePlainData(data, 'options')).not.toThrow()
})

test.each([
  ['a function', { processors: [{ name: 'x', follow: () => undefined }] }, 'options.processors[0].follow', 'a function'],
  ['a symbol', { a: { b: Symbol('x') } }, 'options.a.b', 'a symbol'],
  ['a function in a map', { m: new Map([['k', () => 1]]) }, 'options.m.get("k")', 'a function'],
  ['an object of a class', { signal: new AbortController().signal }, 'options.signal', 'an object of the class AbortSignal'],
  ['a URL', { base: new URL('https://example.org') }, 'options.base', 'an object of the class URL'],
])('%s is refused with its place', (_, data, place, found) => {
  const refused = thrownBy(() => requirePlainData(data, 'options'))
  expect(refused).toBeInstanceOf(UnsendableError)
  expect(refused).toMatchObject({ code: 'unsendable', found, where: { field: place } })
})

function thrownBy(action: () => void): unknown {
  try {
    action()
    return undefined
  } catch (error) {
    return error
  }
}
