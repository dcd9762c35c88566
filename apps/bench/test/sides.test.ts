import { expect, test } from 'vitest'
import { comparedPeers } from '../src/sides.ts'

test('several sides of a library are also compared as their best', () => {
  expect(comparedPeers(['node-llama-cpp Q4_1', 'transformers.js q4', 'transformers.js q8'])).toEqual([
    { name: 'node-llama-cpp Q4_1', sides: ['node-llama-cpp Q4_1'] },
    { name: 'transformers.js q4', sides: ['transformers.js q4'] },
    { name: 'transformers.js q8', sides: ['transformers.js q8'] },
    { name: 'transformers.js, best', sides: ['transformers.js q4', 'transformers.js q8'] },
  ])
})
