/** `foretoken inspect`: what a checkpoint holds, what runs where and why, and the graph as a file for Netron. */
import { writeFile } from 'node:fs/promises'
import { type CausalLM, type Checkpoint, encodeGraph, openCheckpoint } from '@foretoken/models'
import { Command } from 'commander'
import { alignedTable } from '../aligned-table.ts'
import type { CommandContext } from '../command-context.ts'
import { addModelOptions, locateModel, type ModelOptions, openWeights } from '../open-model.ts'
import { planLines } from '../plan-lines.ts'
import { printableText } from '../printable-text.ts'
import { formatBytes } from '../progress-line.ts'
import { styleOf } from '../terminal.ts'

interface InspectFlags extends ModelOptions {
  readonly tensors?: boolean
  readonly saveGraph?: string
  readonly json?: boolean
}

interface TensorFacts {
  readonly name: string
  /** As the file stores it. */
  readonly encoding: string
  readonly shape: readonly number[]
  readonly bytes: number
}

const HELP = `
Tensors that are alike in all layers are one line of the table; --tensors gives each its own, --json always does.
--json prints { path, notes, config, plan, capabilities, memory, loadMs, tensors }.`

export function inspectCommand(context: CommandContext): Command {
  const command = new Command('inspect')
    .description('the plan of a model (formats, memory, threads, what runs where and why), its tensors, its graph')
    .option('--tensors', 'list every tensor of the checkpoint')
    .option('--save-graph <file>', 'write the graph, without weights, as an ONNX file for Netron')
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', HELP)
  addModelOptions(command)
  return command.action(async (flags: InspectFlags) => {
    const { out, err, environment } = context.terminal
    const { path, notes } = await locateModel(flags, context)
    const checkpoint = await openCheckpoint(path)
    // from here on the open model closes the checkpoint
    await using opened = await openWeights(checkpoint, flags, context)
    const { lm, loadMs } = opened
    if (flags.saveGraph !== undefined) {
      await writeFile(flags.saveGraph, encodeGraph(checkpoint, flags.format))
      err.write(`The graph is in ${flags.saveGraph}; its weights are not.\n`)
    }
    const tensors = tensorList(checkpoint)
    if (flags.json) {
      const { config, plan, capabilities } = lm
      out.write(`${JSON.stringify({ path, notes, config, plan, capabilities, memory: lm.memory(), loadMs, tensors })}\n`)
      return
    }
    const style = styleOf(out, environment)
    out.write(`${style.bold(path)}\n${alignedTable(planRows(lm, loadMs, notes))}\n\n`)
    out.write(`${alignedTable(flags.tensors ? everyTensor(tensors) : tensorsByLayer(tensors))}\n`)
    const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0)
    out.write(`${tensors.length} tensors, ${formatBytes(bytes)}\n`)
  })
}

function planRows(lm: CausalLM, loadMs: number, notes: readonly string[]): string[][] {
  const { config, plan } = lm
  const memory = lm.memory()
  return [
    [
      'architecture',
      `${config.modelType}: ${config.layers} layers, width ${config.hidden}, ${config.heads} heads, ${config.kvHeads} key/value heads of ${config.headDim}`,
    ],
    ['vocabulary', `${config.vocab}${config.tiedEmbeddings ? ', the head is the embedding' : ''}`],
    ['context', Number.isFinite(config.maxPositions) ? `${config.maxPositions} positions` : 'no limit'],
    ...planLines(plan),
    ['weights', formatBytes(memory.weightsBytes)],
    ['graph', formatBytes(memory.graphBytes)],
    ['loaded in', `${(loadMs / 1000).toFixed(2)} s`],
    ...[...plan.notes, ...notes].map((note) => ['note', note]),
  ].map((row) => row.map(printableText))
}

function tensorList({ weights }: Checkpoint): TensorFacts[] {
  return [...weights.store.tensors.values()].map(({ name, encoding, shape, byteLength }) => ({ name, encoding, shape, bytes: byteLength }))
}

function everyTensor(tensors: readonly TensorFacts[]): string[][] {
  const rows = tensors.map(({ name, encoding, shape, bytes }) => [name, encoding, `[${shape.join(', ')}]`, formatBytes(bytes)])
  return [['tensor', 'stored as', 'shape', 'size'], ...rows.map((row) => row.map(printableText))]
}

/** One row for all tensors whose names differ in numbers only. */
function tensorsByLayer(tensors: readonly TensorFacts[]): string[][] {
  const groups = new Map<string, { row: string[]; count: number; bytes: number }>()
  for (const { name, encoding, shape, bytes } of tensors) {
    const row = [printableText(name.replaceAll(/\.\d+(?=\.)/g, '.*')), encoding, `[${shape.join(', ')}]`]
    const group = groups.get(row.join(' ')) ?? { row, count: 0, bytes: 0 }
    groups.set(row.join(' '), { row, count: group.count + 1, bytes: group.bytes + bytes })
  }
  const rows = [...groups.values()].map(({ row, count, bytes }) => [...row, count === 1 ? '' : `${count}`, formatBytes(bytes)])
  return [['tensor', 'stored as', 'shape', 'layers', 'size'], ...rows]
}
