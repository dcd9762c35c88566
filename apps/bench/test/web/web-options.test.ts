import { expect, test } from 'vitest'
import { readWebOptions } from '../../src/web/web-options.ts'
import { comparedWebPeers } from '../../src/web/web-sides.ts'

test('without options everything is compared, in our default format', () => {
  expect(readWebOptions([], '/cache')).toMatchObject({
    isQuick: false,
    format: 'auto',
    only: [],
    cacheFolder: '/cache',
    fromSources: false,
  })
})

test('an unknown format and a number of threads without sense are refused with what was found', () => {
  expect(() => readWebOptions(['--format', 'int3'], '/cache')).toThrow(/found int3/)
  expect(() => readWebOptions(['--threads', '0'], '/cache')).toThrow(/found 0/)
})

test('formats of wllama are compared as the best of them, other sides by themselves', () => {
  expect(comparedWebPeers(['foretoken', 'transformers.js wasm q8', 'wllama Q8_0/f32', 'wllama Q4_0/f16'])).toEqual([
    { name: 'transformers.js wasm q8', sides: ['transformers.js wasm q8'] },
    { name: 'wllama, best', sides: ['wllama Q8_0/f32', 'wllama Q4_0/f16'] },
  ])
})
