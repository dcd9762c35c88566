import { expect, test } from 'vitest'
import { checkpointFixture } from './checkpoint-fixture.ts'

const { folder: source } = await checkpointFixture('llama')

// readme:start
import { loadCausalLM } from '@foretoken/models'

// `source` is a folder with config.json and safetensors, a .gguf file, or a repository of the hub: 'organisation/name'
await using lm = await loadCausalLM(source, { format: 'f32' })
await using cache = lm.createCache()

// One step over three tokens: logits of the last row, and the new rows of keys and values.
const { logits, rows } = await lm.forward({ tokens: Int32Array.of(1, 2, 3), cache, want: { logits: 'last' } })
cache.append(rows) // the caller decides which rows the cache keeps

// Two alternatives for the next token at once: a tree whose branches do not see each other.
const tree = await lm.forward({
  tokens: Int32Array.of(10, 11),
  positions: Int32Array.of(3, 3),
  visibility: { kind: 'tree', parents: Int32Array.of(-1, -1) },
  cache,
  want: { logits: 'all', topK: 5 },
})
cache.append(tree.rows, [1]) // the second one is accepted, the first leaves no trace

// readme:end

const kept = [...cache.positions]
const logitsAfter = tree.logits?.data.slice(256)
const alone = lm.createCache()
const chain = await lm.forward({ tokens: Int32Array.of(1, 2, 3, 11), cache: alone, want: { logits: 'last' } })

test('the snippet of the README keeps the accepted row, and its logits are those of the plain sequence', () => {
  expect(logits?.dims).toEqual([1, 256])
  expect(kept).toEqual([0, 1, 2, 3])
  expect(logitsAfter).toEqual(chain.logits?.data)
})
