import { expect, test } from 'vitest'
import budgets from '../page-budgets.json' with { type: 'json' }
import { pageBytes, runtimeScriptBytes } from '../page-size.ts'

/** A Llama from the hub or a file, with its tokenizer and chat template, and what is kept for the next start. */
const TEXT_GENERATION = { imports: { models: ['loadCausalLM'], generation: ['generate'] }, loads: /\/llama-/ }

test('what a page loads to generate text fits its budget', async () => {
  expect(await pageBytes(TEXT_GENERATION)).toBeLessThanOrEqual(budgets['text generation'])
})

test('a tokenizer alone fits its budget', async () => {
  expect(await pageBytes({ imports: { tokenizers: ['tokenizerFromJson'] } })).toBeLessThanOrEqual(budgets['tokenizer alone'])
})

test('the script of onnxruntime-web is as large as the budgets say', () => {
  expect(runtimeScriptBytes()).toBeLessThanOrEqual(budgets["onnxruntime-web's script"])
})
