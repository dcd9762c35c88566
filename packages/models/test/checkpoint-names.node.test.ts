import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CHECKPOINTS } from './checkpoint-names.ts'

test('every checkpoint of the fixtures is in the list that tests go through', () => {
  expect(readdirSync(new URL('./fixtures/checkpoints/', import.meta.url)).sort()).toEqual([...CHECKPOINTS])
})
