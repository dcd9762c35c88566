import { Command } from 'commander'
import { expect, test } from 'vitest'
import { addSpeculationOptions, type SpeculationFlags, speculationOptions } from '../src/speculation-options.ts'

function speculateOf(...args: string[]) {
  const command = addSpeculationOptions(new Command().exitOverride().configureOutput({ writeErr: () => undefined }))
  command.parse(args, { from: 'user' })
  return speculationOptions(command.opts<SpeculationFlags>()).speculate
}

test('the default is left to generate, --no-speculate is one token per step', () => {
  expect(speculateOf()).toBeUndefined()
  expect(speculateOf('--speculate', 'auto')).toBeUndefined()
  expect(speculateOf('--no-speculate')).toBe('off')
})

test.each(['suffix', 'lookup', 'ngrams', 'recycling'])('%s is a drafter', (name) => {
  expect(speculateOf('--speculate', name)).toMatchObject({ name: expect.any(String) })
})

test('an unknown drafter is refused, and the known ones are named', () => {
  expect(() => speculateOf('--speculate', 'magic')).toThrow(/auto, suffix, lookup, ngrams, recycling/)
})
