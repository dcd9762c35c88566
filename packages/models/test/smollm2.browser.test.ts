/** The real model in a page, from a file that a user chose. */
import { expect, test } from 'vitest'
import { loadCausalLM } from '../src/index.ts'
import { servedModels } from './backend.ts'
import { expectExactRows } from './expect-exact-rows.ts'

const NAME = 'smollm2-135m-instruct-q4_1.gguf'

test.skipIf(servedModels === '')(
  'rows of SmolLM2 are the same bits alone and together (needs FORETOKEN_MODELS)',
  async () => {
    const response = await fetch(`${servedModels}/${NAME}`)
    expect(response.ok, `${response.status}`).toBe(true)
    const file = new File([await response.blob()], NAME)
    await using lm = await loadCausalLM([file], { threads: 2 })
    expect(lm.plan).toMatchObject({ provider: 'wasm', threads: 2, exact: true, formats: { linear: 'int8-rows' } })
    await expectExactRows(lm, 300)
    const ids = lm.tokenizer?.encode('Hello world') ?? []
    expect(lm.tokenizer?.decode(ids)).toBe('Hello world')
  },
  120_000,
)
