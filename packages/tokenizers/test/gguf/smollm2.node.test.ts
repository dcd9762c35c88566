import { closeSync, openSync, readSync } from 'node:fs'
import { expect, test } from 'vitest'
import { tokenizerFromGguf } from '../../src/gguf/tokenizer-from-gguf.ts'
import type { GgufMetadata, GgufMetadataValue } from '../../src/gguf/tokenizer-metadata.ts'
import { chatTemplateFixture } from '../chat-template/chat-template-fixture.ts'
import { fixturesFolder, readTokenizerFixture } from '../tokenizer-fixture.ts'

const models = process.env.FORETOKEN_MODELS

test.skipIf(!models || !fixturesFolder)(
  'the tokenizer in the GGUF of SmolLM2 gives the ids of the reference, also in conversations (needs FORETOKEN_MODELS and FORETOKEN_FIXTURES)',
  () => {
    const tokenizer = tokenizerFromGguf(readMetadata(`${models}/smollm2-135m-instruct-q4_1.gguf`))
    for (const { name, text, ids, decoded } of readTokenizerFixture('smollm2').expected.cases) {
      const found = [...tokenizer.encode(text, { parseSpecialTokens: true })]
      expect({ name, found, decoded: tokenizer.decode(ids) }).toEqual({ name, found: ids, decoded })
    }
    expect(tokenizer.specialTokens).toEqual({ beginningOfText: 1, endOfText: [2], padding: 2, unknown: 0 })
    for (const [name, { text, ids }] of Object.entries(chatTemplateFixture.smollm2)) {
      const { messages, add_generation_prompt } = chatTemplateFixture.conversations[name] ?? { messages: [], add_generation_prompt: false }
      const options = { addGenerationPrompt: add_generation_prompt }
      expect(tokenizer.chatTemplate?.render(messages, options)).toBe(text)
      expect([...(tokenizer.chatTemplate?.encode(messages, options) ?? [])]).toEqual(ids)
    }
  },
)

/** The metadata of a little-endian GGUF file of version 3 that we know to be well formed, within its first 4 MiB. */
function readMetadata(path: string): GgufMetadata {
  const bytes = new Uint8Array(1 << 22)
  const file = openSync(path, 'r')
  readSync(file, bytes, 0, bytes.length, 0)
  closeSync(file)
  const view = new DataView(bytes.buffer)
  const utf8 = new TextDecoder()
  let position = 16
  const advance = (size: number): number => {
    position += size
    return position - size
  }
  const length = (): number => Number(view.getBigUint64(advance(8), true))
  const text = (): string => {
    const size = length()
    return utf8.decode(bytes.subarray(advance(size), position))
  }
  const value = (type: number): GgufMetadataValue => {
    switch (type) {
      case 4:
        return view.getUint32(advance(4), true)
      case 5:
        return view.getInt32(advance(4), true)
      case 6:
        return view.getFloat32(advance(4), true)
      case 7:
        return view.getUint8(advance(1)) === 1
      case 8:
        return text()
      case 9: {
        const elementType = view.getUint32(advance(4), true)
        return Array.from({ length: length() }, () => value(elementType))
      }
      default:
        throw new Error(`type ${type} is not expected in this file`)
    }
  }
  const entries = length()
  const metadata = new Map<string, GgufMetadataValue>()
  for (let index = 0; index < entries; index++) {
    const key = text()
    metadata.set(key, value(view.getUint32(advance(4), true)))
  }
  return metadata
}
