import { openCheckpoint } from '@foretoken/models'
import { expect, test } from 'vitest'
import { findModel } from '../../src/find-files.ts'
import { idsToCut, promptOfText } from '../../src/web/web-prompts.ts'

const model = findModel(process.env)

test.skipIf(model === undefined)('prompts have the asked length as ids and, read by themselves, as text', async () => {
  await using checkpoint = await openCheckpoint(model ?? '')
  const { tokenizer } = checkpoint
  if (tokenizer === undefined) throw new Error('found no tokenizer, expected one')
  const ids = idsToCut(tokenizer, undefined)
  const prompts = [16, 512, 2048].map((length, index) => promptOfText(tokenizer, ids, length, index))
  expect(prompts.map(({ tokens }) => tokens.length)).toEqual([16, 512, 2048])
  for (const { text, tokens } of prompts) expect([...tokenizer.encode(text, { addSpecialTokens: false })]).toEqual(tokens)
  expect(new Set(prompts.map(({ tokens }) => tokens.slice(0, 8).join())).size).toBe(3)
})
