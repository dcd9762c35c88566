/**
 * What a constraint costs per token: `node --conditions=foretoken-source packages/generation/test/benchmarks/constraint-masks.ts model.gguf`. The same
 * document is followed several times: the first time makes the masks, later ones find them.
 */
import { jsonConstraint, jsonSchemaConstraint, outputVocabulary } from '@foretoken/generation'
import { loadCausalLM } from '@foretoken/models'

const SCHEMA = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    age: { type: 'integer', minimum: 0, maximum: 150 },
    bio: { type: 'string', maxLength: 60 },
    tags: { type: 'array', items: { type: 'string' } },
  },
  required: ['name', 'age', 'bio', 'tags'],
}
const DOCUMENT = {
  name: 'Ada Lovelace was a mathematician',
  age: 36,
  bio: 'She wrote the first program for a machine of Babbage.',
  tags: ['math', 'computing', 'poetry'],
}

await using lm = await loadCausalLM(process.argv[2] ?? '')
const { tokenizer } = lm
if (tokenizer === undefined) throw new Error('a model with a tokenizer is needed')
const { vocab } = lm.config
const vocabulary = outputVocabulary(tokenizer, vocab, new Set(tokenizer.specialTokens.endOfText), false)
const ids = tokenizer.encode(JSON.stringify(DOCUMENT, null, 2), { addSpecialTokens: false })
const row = new Float32Array(vocab)
for (const [name, make] of [
  ['schema', () => jsonSchemaConstraint(SCHEMA)],
  ['another of the same schema', () => jsonSchemaConstraint(SCHEMA)],
  ['any JSON', () => jsonConstraint()],
] as const) {
  const start = performance.now()
  const constraint = make()
  const madeMs = performance.now() - start
  for (let pass = 1; pass <= 3; pass++) {
    const begin = performance.now()
    const state = constraint.follow(vocabulary)
    const followMs = performance.now() - begin
    const times: number[] = []
    for (const id of ids) {
      row.fill(0)
      const before = performance.now()
      state.mask(row)
      state.push(id)
      times.push(performance.now() - before)
    }
    times.sort((a, b) => a - b)
    const mean = times.reduce((sum, each) => sum + each, 0) / times.length
    const facts = [
      `made in ${madeMs.toFixed(1)} ms`,
      `begun in ${followMs.toFixed(1)}`,
      `per token median ${times[times.length >> 1]?.toFixed(3)}`,
    ]
    console.log(`${name}, pass ${pass}: ${[...facts, `mean ${mean.toFixed(3)}`, `most ${times.at(-1)?.toFixed(1)}`].join(', ')}`)
  }
}
