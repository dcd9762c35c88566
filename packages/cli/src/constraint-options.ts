/** The options that say what an output may be. */
import { readFile } from 'node:fs/promises'
import {
  type Constraint,
  choiceConstraint,
  type GenerationOptions,
  grammarConstraint,
  jsonConstraint,
  jsonSchemaConstraint,
  regexConstraint,
} from '@foretoken/generation'
import { ArgumentError } from '@foretoken/tensor'
import { type Command, Option } from 'commander'
import { collectTexts } from './option-values.ts'

export interface ConstraintFlags {
  readonly jsonSchema?: string
  readonly jsonObject?: boolean
  readonly choice?: readonly string[]
  readonly grammar?: string
  readonly pattern?: string
}

const FLAGS = ['jsonSchema', 'jsonObject', 'choice', 'grammar', 'pattern'] as const

export function addConstraintOptions(command: Command): Command {
  const options = [
    new Option('--json-schema <file>', 'the output is JSON that is valid by this schema'),
    new Option('--json-object', 'the output is a JSON object'),
    new Option('--choice <text>', 'the output is one of these texts; may be repeated').argParser(collectTexts),
    new Option('--grammar <file>', 'the output is what this grammar matches (GBNF: root ::= "a" [0-9]+)'),
    new Option('--pattern <regex>', 'the output is what this regular expression matches'),
  ]
  for (const option of options) {
    const name = option.attributeName()
    command.addOption(option.conflicts(FLAGS.filter((other) => other !== name)))
  }
  return command
}

/** @throws {ConstraintError} with the place in the schema, grammar or pattern that cannot be kept */
export async function constraintOptions(flags: ConstraintFlags): Promise<Pick<GenerationOptions, 'constraint'>> {
  const constraint = await constraintOf(flags)
  return constraint === undefined ? {} : { constraint }
}

async function constraintOf({ jsonSchema, jsonObject, choice, grammar, pattern }: ConstraintFlags): Promise<Constraint | undefined> {
  if (jsonSchema !== undefined) return jsonSchemaConstraint(parseJson(jsonSchema, await readFile(jsonSchema, 'utf8')))
  if (jsonObject) return jsonConstraint({ onlyObjects: true })
  if (choice !== undefined) return choiceConstraint(choice)
  if (grammar !== undefined) return grammarConstraint(await readFile(grammar, 'utf8'))
  return pattern === undefined ? undefined : regexConstraint(pattern)
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    throw new ArgumentError({ file, found, expected: 'JSON' }, { cause: error })
  }
}
