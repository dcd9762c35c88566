/** llama.cpp's names for decoders whose parts Hugging Face names by the paper's own code and not as Llama does. */
import type { GgufTensor } from '../architectures/architecture.ts'

export interface GgufPartNames {
  /** What stands before a layer's number, `transformer.h.`. */
  readonly layers: string
  /** Parts of the whole model: Hugging Face's name to llama.cpp's, both without `.weight` and `.bias`. */
  readonly whole: Readonly<Record<string, string>>
  /** Parts of a layer, the same way. */
  readonly parts: Readonly<Record<string, string>>
}

/** The tensor that Hugging Face calls `name`. */
export function ggufPartNames({ layers, whole, parts }: GgufPartNames): (name: string) => GgufTensor | undefined {
  const wholeNames = new Map(Object.entries(whole))
  const partNames = new Map(Object.entries(parts))
  return (name) => {
    const dot = name.lastIndexOf('.')
    const stem = name.slice(0, dot)
    const kind = name.slice(dot)
    if (!stem.startsWith(layers)) {
      const found = wholeNames.get(stem)
      return found === undefined ? undefined : { name: found + kind }
    }
    const [layer = '', ...rest] = stem.slice(layers.length).split('.')
    const found = partNames.get(rest.join('.'))
    return found === undefined ? undefined : { name: `blk.${layer}.${found}${kind}` }
  }
}
