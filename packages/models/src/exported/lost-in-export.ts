/**
 * What an exporter left out of a graph that config.json states, where the file shows it. Up to some position such a graph computes what
 * the model does; from there on it would compute something else without a word, so steps that reach it are refused.
 */
import type { ConfigReader } from '../config/config-reader.ts'
import type { ExportedInterface } from './exported-interface.ts'

export interface Lost {
  /** The first position that would be wrong. */
  readonly from: number
  /** What is missing, as the end of a sentence. */
  readonly what: string
}

/** The first thing that is lost; undefined where nothing is seen to be. */
export function lostInExport(config: ConfigReader, graph: ExportedInterface): Lost | undefined {
  const window = lostWindow(config, graph)
  const rope = lostRope(config, graph)
  return rope === undefined || (window !== undefined && window.from < rope.from) ? window : rope
}

/**
 * Attention that was traced operator by operator has its window in the mask that it computes, and does not say so; GroupQueryAttention
 * has it in an attribute, which some exporters leave out and trust the program around the graph with.
 */
function lostWindow(config: ConfigReader, { statedAttention }: ExportedInterface): Lost | undefined {
  if (statedAttention.length === 0 || statedAttention.some(({ window }) => window !== undefined)) return undefined
  const window = config.boolean('use_sliding_window', true) ? config.optionalCount('sliding_window') : undefined
  return window === undefined ? undefined : { from: window, what: `the sliding_window of ${window} rows` }
}

/**
 * Dynamic and LongRoPE depend on the length of the sequence. A trace sees one short sequence and keeps its rope; exporters that keep
 * both branch, or lay both tables into one that is longer than the positions.
 */
function lostRope(config: ConfigReader, graph: ExportedInterface): Lost | undefined {
  const rope = config.object('rope_scaling') ?? config.object('rope_parameters')
  const kind = rope?.string('rope_type', rope.string('type', 'default'))
  if (rope === undefined || (kind !== 'dynamic' && kind !== 'longrope' && kind !== 'su')) return undefined
  const positions = config.optionalCount('max_position_embeddings')
  if (graph.branches || (graph.positionRows ?? 0) > (positions ?? Number.POSITIVE_INFINITY)) return undefined
  const from =
    config.optionalCount('original_max_position_embeddings') ?? rope.optionalCount('original_max_position_embeddings') ?? positions
  return from === undefined ? undefined : { from, what: `the ${kind} rope of longer sequences` }
}
