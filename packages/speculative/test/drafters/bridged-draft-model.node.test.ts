/** Pairs of published tokenizers, with models that know a text by heart. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateText } from '@foretoken/generation'
import { tokenizerFromJson } from '@foretoken/tokenizers'
import { expect, test } from 'vitest'
import { bridgedDraftModel } from '../../src/index.ts'
import { scriptModel } from '../fakes/script-model.ts'

const fixtures = process.env.FORETOKEN_FIXTURES
const SCRIPT =
  'The lighthouse keeper climbed the stairs each evening. Por que o céu é azul? 🌊 Because short waves scatter more: x = 12 * 7 + 5, and so on until the end.'

async function open(name: string) {
  return tokenizerFromJson(JSON.parse(await readFile(join(fixtures ?? '', 'tokenizers', name, 'tokenizer.json'), 'utf8')))
}

test.skipIf(!fixtures).each([
  ['smollm2', 'mistral-v3'],
  ['mistral-v3', 'smollm2'],
  ['gpt2', 'smollm2'],
  ['smollm2', 'trained-bpe-bytes'],
  ['trained-spm-bpe-bytes', 'gpt2'],
])('%s with a draft of %s: the same ids, in fewer steps (needs FORETOKEN_FIXTURES)', async (target, drafter) => {
  const [own, other] = [await open(target), await open(drafter)]
  const lm = scriptModel(own, SCRIPT)
  const tokens = own.encode(SCRIPT, { addSpecialTokens: false }).slice(0, 3)
  const all = { speculate: 'off' as const, tokens, maxNewTokens: 20, stopTokens: [] }
  const plain = await generateText(lm, all)
  const drafted = await generateText(lm, { ...all, speculate: bridgedDraftModel(scriptModel(other, SCRIPT), { draftTokens: 8 }) })
  expect(drafted.ids).toEqual(plain.ids)
  expect(drafted.statistics.speculation?.tokensPerStep).toBeGreaterThan(1.4)
})
