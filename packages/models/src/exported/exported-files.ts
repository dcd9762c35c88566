/**
 * Exported graphs among the files of a model, as the hub's exporters name them: `onnx/model.onnx`, `onnx/model_q4.onnx`,
 * `onnx/decoder_model_merged_quantized.onnx`, each with its external data beside it (`model.onnx_data`, `model.onnx_data_1`).
 */

/** Ends of the names of variants from the one to try first: exact ones, then 4 bits in blocks, then 8 bits with one scale per tensor. */
const VARIANTS: readonly string[] = ['', '_fp16', '_q4', '_q4f16', '_quantized', '_int8', '_uint8', '_bnb4']
const STEMS: readonly string[] = ['model', 'decoder_model_merged']

/** Names of variants that differ from the end of the file's name. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['fp32', ''],
  ['f32', ''],
  ['f16', '_fp16'],
  ['q8', '_quantized'],
])

/** Texts that belong to a model; small files beside graphs. */
const COMPANION = /^(?:[^/]+\.(?:json|txt|jinja)|tokenizer\.model|additional_chat_templates\/[^/]+\.jinja)$/

export interface ExportedChoice {
  /** The end of the file's name, `q4` for `model_q4.onnx`; `fp32` for `model.onnx` and `q8` for `model_quantized.onnx`. */
  readonly variant?: string
}

/** The path of the graph to open; undefined when there is none of the variant. */
export function pickExportedGraph(paths: readonly string[], { variant }: ExportedChoice = {}): string | undefined {
  const ends = variant === undefined ? VARIANTS : [ALIASES.get(variant) ?? `_${variant}`]
  for (const end of ends) {
    for (const stem of STEMS) {
      for (const folder of ['onnx/', '']) if (paths.includes(`${folder}${stem}${end}.onnx`)) return `${folder}${stem}${end}.onnx`
    }
  }
  const graphs = paths.filter((path) => /^(?:onnx\/)?[^/]+\.onnx$/.test(path))
  return variant === undefined && graphs.length === 1 ? graphs[0] : undefined
}

/** What a graph needs: the texts of the model, its external data, and itself last. */
export function exportedFiles<File extends { readonly path: string }>(files: readonly File[], graph: string): File[] {
  return [
    ...files.filter(({ path }) => COMPANION.test(path)),
    ...files.filter(({ path }) => path.startsWith(graph) && path !== graph),
    ...files.filter(({ path }) => path === graph),
  ]
}
