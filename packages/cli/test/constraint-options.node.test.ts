import { join } from 'node:path'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { addConstraintOptions, type ConstraintFlags, constraintOptions } from '../src/constraint-options.ts'
import { temporaryFolder } from './model-search/temporary-folder.ts'

async function constraintOf(...args: string[]): Promise<string | undefined> {
  const command = addConstraintOptions(new Command().exitOverride().configureOutput({ writeErr: () => undefined }))
  command.parse(args, { from: 'user' })
  return (await constraintOptions(command.opts<ConstraintFlags>())).constraint?.name
}

test('each option is its constraint, and none is none', async () => {
  await using folder = await temporaryFolder({ 'schema.json': '{"type":"null"}', 'list.gbnf': 'root ::= "a"' })
  expect(await constraintOf('--json-schema', join(folder.path, 'schema.json'))).toBe('JSON schema')
  expect(await constraintOf('--grammar', join(folder.path, 'list.gbnf'))).toBe('grammar')
  expect(await constraintOf('--json-object')).toBe('JSON')
  expect(await constraintOf('--choice', 'yes', '--choice', 'no')).toBe('choice')
  expect(await constraintOf('--pattern', '[0-9]+')).toBe('pattern')
  expect(await constraintOf()).toBeUndefined()
})

test('a file that is no JSON, a schema that cannot be kept and a missing file are refused with their place', async () => {
  await using folder = await temporaryFolder({ 'broken.json': '{', 'not.json': '{"not":{}}' })
  await expect(constraintOf('--json-schema', join(folder.path, 'broken.json'))).rejects.toThrow(/broken\.json: .*expected JSON/)
  await expect(constraintOf('--json-schema', join(folder.path, 'not.json'))).rejects.toThrow(/schema #\/not: found an unsupported keyword/)
  await expect(constraintOf('--json-schema', join(folder.path, 'none.json'))).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(constraintOf('--pattern', '(')).rejects.toMatchObject({ code: 'constraint' })
})

test('two of them exclude each other', async () => {
  await expect(constraintOf('--choice', 'a', '--pattern', 'b')).rejects.toThrow(/cannot be used with option/)
})
