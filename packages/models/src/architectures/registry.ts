/**
 * The architectures that can be built. A new one is a file beside this one and a line below. Only the names are here: the file of an
 * architecture is loaded with the first checkpoint that needs it, so that a page which runs one model does not load all of them.
 */
import type { ConfigReader } from '../config/config-reader.ts'
import { UnsupportedArchitectureError } from '../errors.ts'
import type { Architecture, GgufMetadata } from './architecture.ts'

interface Registered {
  /** As the file itself says. */
  readonly modelTypes: readonly string[]
  /** llama.cpp's names, as the file itself says; where two files share one, the first that applies is taken. */
  readonly ggufNames: readonly string[]
  load(): Promise<Architecture>
}

/** @internal For the test that compares the names. */
export const ARCHITECTURES: readonly Registered[] = [
  { modelTypes: ['bloom'], ggufNames: ['bloom'], load: async () => (await import('./bloom.ts')).bloom },
  { modelTypes: ['cohere', 'cohere2'], ggufNames: ['command-r', 'cohere2'], load: async () => (await import('./cohere.ts')).cohere },
  { modelTypes: ['deepseek_v2'], ggufNames: ['deepseek2'], load: async () => (await import('./deepseek-v2.ts')).deepseekV2 },
  { modelTypes: ['deepseek_v3'], ggufNames: ['deepseek2'], load: async () => (await import('./deepseek-v3.ts')).deepseekV3 },
  { modelTypes: ['falcon'], ggufNames: ['falcon'], load: async () => (await import('./falcon.ts')).falcon },
  { modelTypes: ['gemma'], ggufNames: ['gemma'], load: async () => (await import('./gemma.ts')).gemma },
  { modelTypes: ['gemma2'], ggufNames: ['gemma2'], load: async () => (await import('./gemma2.ts')).gemma2 },
  { modelTypes: ['gemma3_text', 'gemma3'], ggufNames: ['gemma3'], load: async () => (await import('./gemma3.ts')).gemma3 },
  { modelTypes: ['gpt_neo'], ggufNames: [], load: async () => (await import('./gpt-neo.ts')).gptNeo },
  { modelTypes: ['gpt_neox'], ggufNames: ['gptneox'], load: async () => (await import('./gpt-neox.ts')).gptNeox },
  { modelTypes: ['gpt_oss'], ggufNames: ['gpt-oss'], load: async () => (await import('./gpt-oss.ts')).gptOss },
  { modelTypes: ['gpt2'], ggufNames: ['gpt2'], load: async () => (await import('./gpt2.ts')).gpt2 },
  { modelTypes: ['gptj'], ggufNames: [], load: async () => (await import('./gptj.ts')).gptj },
  { modelTypes: ['granite'], ggufNames: ['granite'], load: async () => (await import('./granite.ts')).granite },
  { modelTypes: ['llama', 'mistral'], ggufNames: ['llama'], load: async () => (await import('./llama.ts')).llama },
  { modelTypes: ['mamba', 'falcon_mamba'], ggufNames: ['mamba'], load: async () => (await import('./mamba.ts')).mamba },
  { modelTypes: ['mamba2'], ggufNames: ['mamba2'], load: async () => (await import('./mamba2.ts')).mamba2 },
  { modelTypes: ['mixtral'], ggufNames: ['llama'], load: async () => (await import('./mixtral.ts')).mixtral },
  { modelTypes: ['mpt'], ggufNames: ['mpt'], load: async () => (await import('./mpt.ts')).mpt },
  { modelTypes: ['olmo'], ggufNames: ['olmo'], load: async () => (await import('./olmo.ts')).olmo },
  { modelTypes: ['olmo2', 'olmo3'], ggufNames: ['olmo2'], load: async () => (await import('./olmo2.ts')).olmo2 },
  { modelTypes: ['opt'], ggufNames: [], load: async () => (await import('./opt.ts')).opt },
  { modelTypes: ['phi'], ggufNames: ['phi2'], load: async () => (await import('./phi.ts')).phi },
  { modelTypes: ['phi3'], ggufNames: ['phi3'], load: async () => (await import('./phi3.ts')).phi3 },
  { modelTypes: ['qwen2'], ggufNames: ['qwen2'], load: async () => (await import('./qwen2.ts')).qwen2 },
  { modelTypes: ['qwen2_moe'], ggufNames: ['qwen2moe'], load: async () => (await import('./qwen2-moe.ts')).qwen2Moe },
  { modelTypes: ['qwen3'], ggufNames: ['qwen3'], load: async () => (await import('./qwen3.ts')).qwen3 },
  { modelTypes: ['qwen3_moe'], ggufNames: ['qwen3moe'], load: async () => (await import('./qwen3-moe.ts')).qwen3Moe },
  { modelTypes: ['smollm3'], ggufNames: ['smollm3'], load: async () => (await import('./smollm3.ts')).smollm3 },
  { modelTypes: ['stablelm'], ggufNames: ['stablelm'], load: async () => (await import('./stablelm.ts')).stablelm },
  { modelTypes: ['starcoder2'], ggufNames: ['starcoder2'], load: async () => (await import('./starcoder2.ts')).starcoder2 },
]

/** @throws {UnsupportedArchitectureError} naming the nearest known model types */
export async function architectureOf(config: ConfigReader): Promise<Architecture> {
  const type = config.string('model_type')
  const found = ARCHITECTURES.find(({ modelTypes }) => modelTypes.includes(type))
  if (found !== undefined) return found.load()
  const known = ARCHITECTURES.flatMap(({ modelTypes }) => modelTypes)
  throw new UnsupportedArchitectureError({
    file: config.file,
    field: 'model_type',
    found: JSON.stringify(type),
    expected: `a known architecture (nearest: ${nearest(type, known).join(', ')}; all: ${known.join(', ')}); CONTRIBUTING.md says how to add one`,
  })
}

export async function ggufArchitectureOf(metadata: GgufMetadata, file: string): Promise<Architecture> {
  const { architecture: name } = metadata
  for (const { ggufNames, load } of ARCHITECTURES) {
    if (!ggufNames.includes(name)) continue
    const found = await load()
    if (found.gguf?.appliesTo?.(metadata) ?? true) return found
  }
  const known = ARCHITECTURES.flatMap(({ ggufNames }) => ggufNames)
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
