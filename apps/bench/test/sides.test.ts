import { expect, test } from 'vitest'
import { comparedPeers } from '../src/sides.ts'

test('several sides of a library are also compared as their best, formats of llama.cpp as the fastest', () => {
  expect(comparedPeers(['node-llama-cpp Q4_1', 'node-llama-cpp Q4_0', 'transformers.js q4', 'transformers.js q8'])).toEqual([
    { name: 'node-llama-cpp Q4_1', sides: ['node-llama-cpp Q4_1'] },
    { name: 'node-llama-cpp Q4_0', sides: ['node-llama-cpp Q4_0'] },
    { name: 'node-llama-cpp, fastest format', sides: ['node-llama-cpp Q4_1', 'node-llama-cpp Q4_0'], choice: 'fastest' },
    { name: 'transformers.js q4', sides: ['transformers.js q4'] },
    { name: 'transformers.js q8', sides: ['transformers.js q8'] },
    { name: 'transformers.js, best', sides: ['transformers.js q4', 'transformers.js q8'] },
  ])
})
