import { expect, test } from 'vitest'
import { readOptions } from '../src/options.ts'

test('nothing given is the full run', () => {
  expect(readOptions([], '/cache')).toMatchObject({ isQuick: false, format: 'auto', only: [], fromSources: false })
})

test('the dashes that package managers pass on are not an option', () => {
  expect(readOptions(['--', '--quick'], '/cache')).toMatchObject({ isQuick: true })
})

test.each([[['--format', 'int3']], [['--threads', '0']], [['--thread', '2']]])('%j is refused', (args) => {
  expect(() => readOptions(args, '/cache')).toThrow()
})
