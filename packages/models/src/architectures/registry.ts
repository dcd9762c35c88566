/** The architectures that can be built. A new one is a file beside this one and a line below. */
import type { ConfigReader } from '../config/config-reader.ts'
import { UnsupportedArchitectureError } from '../errors.ts'
import type { Architecture, GgufMetadata } from './architecture.ts'
import { bloom } from './bloom.ts'
import { cohere } from './cohere.ts'
import { deepseekV2 } from './deepseek-v2.ts'
import { deepseekV3 } from './deepseek-v3.ts'
import { falcon } from './falcon.ts'
import { gemma } from './gemma.ts'
import { gemma2 } from './gemma2.ts'
import { gemma3 } from './gemma3.ts'
import { gptNeo } from './gpt-neo.ts'
import { gptNeox } from './gpt-neox.ts'
import { gptOss } from './gpt-oss.ts'
import { gpt2 } from './gpt2.ts'
import { gptj } from './gptj.ts'
import { granite } from './granite.ts'
import { llama } from './llama.ts'
import { mamba } from './mamba.ts'
import { mamba2 } from './mamba2.ts'
import { mixtral } from './mixtral.ts'
import { mpt } from './mpt.ts'
import { olmo } from './olmo.ts'
import { olmo2 } from './olmo2.ts'
import { opt } from './opt.ts'
import { phi } from './phi.ts'
import { phi3 } from './phi3.ts'
import { qwen2 } from './qwen2.ts'
import { qwen2Moe } from './qwen2-moe.ts'
import { qwen3 } from './qwen3.ts'
import { qwen3Moe } from './qwen3-moe.ts'
import { smollm3 } from './smollm3.ts'
import { stablelm } from './stablelm.ts'
import { starcoder2 } from './starcoder2.ts'

const ARCHITECTURES: readonly Architecture[] = [
  bloom,
  cohere,
  deepseekV2,
  deepseekV3,
  falcon,
  gemma,
  gemma2,
  gemma3,
  gptNeo,
  gptNeox,
  gptOss,
  gpt2,
  gptj,
  granite,
  llama,
  mamba,
  mamba2,
  mixtral,
  mpt,
  olmo,
  olmo2,
  opt,
  phi,
  phi3,
  qwen2,
  qwen2Moe,
  qwen3,
  qwen3Moe,
  smollm3,
  stablelm,
  starcoder2,
]

/** @throws {UnsupportedArchitectureError} naming the nearest known model types */
export function architectureOf(config: ConfigReader): Architecture {
  const type = config.string('model_type')
  const found = ARCHITECTURES.find((architecture) => architecture.modelTypes.includes(type))
  if (found !== undefined) return found
  const known = ARCHITECTURES.flatMap((architecture) => architecture.modelTypes)
  throw new UnsupportedArchitectureError({
    file: config.file,
    field: 'model_type',
    found: JSON.stringify(type),
    expected: `a known architecture (nearest: ${nearest(type, known).join(', ')}; all: ${known.join(', ')}); CONTRIBUTING.md says how to add one`,
  })
}

export function ggufArchitectureOf(metadata: GgufMetadata, file: string): Architecture {
  const { architecture: name } = metadata
  const found = ARCHITECTURES.find(({ gguf }) => gguf?.architectures.includes(name) && (gguf.appliesTo?.(metadata) ?? true))
  if (found !== undefined) return found
  const known = ARCHITECTURES.flatMap((architecture) => architecture.gguf?.architectures ?? [])
  throw new UnsupportedArchitectureError({
    file,
    field: 'general.architecture',
    found: JSON.stringify(name),
    expected: `a known architecture (nearest: ${nearest(name, known).join(', ')}; all: ${known.join(', ')}); CONTRIBUTING.md says how to add one`,
  })
}

/** The three names with the smallest edit distance. */
function nearest(name: string, known: readonly string[]): readonly string[] {
  const distances = known.map((other) => ({ other, distance: editDistance(name, other) }))
  return distances
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ other }) => other)
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
