/** The files that a run needs and does not make: the model, its tokenizer, and a text. Each may be missing; the reason is kept. */
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export const DEFAULT_MODEL_FILE = 'smollm2-135m-instruct-q4_1.gguf'
const TEXT_FILE = join('smollm2-135m-instruct', 'perplexity.json')

type Environment = Readonly<Record<string, string | undefined>>

/** @returns the path, or undefined when the model is in none of the folders of FORETOKEN_MODELS */
export function findModel(environment: Environment): string | undefined {
  const folders = (environment.FORETOKEN_MODELS ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, DEFAULT_MODEL_FILE)).find((file) => existsSync(file))
}

/** The folder named like the model without its format: `model-q4_1.gguf` has its tokenizer in `model/`. */
export function findTokenizer(model: string): string | undefined {
  const folder = model.replace(/[-.](q\d\w*|f16|bf16|f32)\.gguf$/i, '')
  return existsSync(join(folder, 'tokenizer.json')) ? folder : undefined
}

/** @returns ids of a text of the default model's tokenizer */
export function findText(environment: Environment): readonly number[] | undefined {
  const file = join(environment.FORETOKEN_FIXTURES ?? '', TEXT_FILE)
  if (environment.FORETOKEN_FIXTURES === undefined || !existsSync(file)) return undefined
  return idsIn(JSON.parse(readFileSync(file, 'utf8')))
}

/** The first array called `ids`, whatever it is inside of. */
function idsIn(value: unknown): readonly number[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'ids' && Array.isArray(inner) && inner.every((id) => Number.isInteger(id))) return inner
    const found = idsIn(inner)
    if (found !== undefined) return found
  }
  return undefined
}

/** So many tokens: the text over and over, or where there is none, ids from the middle of any vocabulary. */
export function promptOf(text: readonly number[] | undefined, tokens: number): number[] {
  return Array.from({ length: tokens }, (_, at) => text?.[at % text.length] ?? 1000 + ((at * 7919) % 20_000))
}
