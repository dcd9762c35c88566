/** `foretoken inspect`: what a checkpoint holds, what would run where and why, and the graph as a file for Netron. */
import { writeFile } from 'node:fs/promises'
import { type CausalLM, type Checkpoint, encodeGraph, openCheckpoint } from '@foretoken/models'
import { Command } from 'commander'
import { alignedTable } from '../aligned-table.ts'
import type { CommandContext } from '../command-context.ts'
import { addModelOptions, locateModel, type ModelOptions, openModel } from '../open-model.ts'
import { formatBytes } from '../progress-line.ts'
import { styleOf } from '../terminal.ts'

interface InspectFlags extends ModelOptions {
  readonly tensors?: boolean
  readonly saveGraph?: string
  readonly json?: boolean
}

export function inspectCommand(context: CommandContext): Command {
  const command = new Command('inspect')
    .description('the plan of a model (formats, memory, threads, what runs where and why), its tensors, its graph')
    .option('--tensors', 'list the tensors of the checkpoint')
    .option('--save-graph <file>', 'write the graph, without weights, as an ONNX file for Netron')
    .option('--json', 'one JSON object instead of text')
  addModelOptions(command)
  return command.action(async (flags: InspectFlags) => {
    const { terminal } = context
    const found = await locateModel(flags, context)
    await using checkpoint = await openCheckpoint(found.path)
    await using opened = await openModel({ ...flags, model: found.path }, context)
    if (flags.saveGraph !== undefined) {
      await writeFile(flags.saveGraph, encodeGraph(checkpoint, flags.format))
      terminal.err.write(`The graph is in ${flags.saveGraph}; its weights are not.\n`)
    }
    const record = {
      path: found.path,
      notes: found.notes,
      ...modelRecord(opened.lm, opened.loadMs),
      ...(flags.tensors ? { tensors: tensorList(checkpoint) } : {}),
    }
    if (flags.json) terminal.out.write(`${JSON.stringify(record)}\n`)
    else {
      const style = styleOf(terminal.out, terminal.environment)
      terminal.out.write(`${style.bold(found.path)}\n${modelText(opened.lm, opened.loadMs)}\n`)
      if (flags.tensors) {
        const rows = tensorList(checkpoint).map(({ name, encoding, shape, bytes }) => [
          name,
          encoding,
          `[${shape.join(', ')}]`,
          formatBytes(bytes),
        ])
        terminal.out.write(`\n${alignedTable([['tensor', 'stored as', 'shape', 'size'], ...rows])}\n`)
      }
    }
  })
}

function modelRecord(lm: CausalLM, loadMs: number) {
  return { config: lm.config, plan: lm.plan, capabilities: lm.capabilities, memory: lm.memory(), loadMs }
}

function modelText(lm: CausalLM, loadMs: number): string {
  const { config, plan } = lm
  const memory = lm.memory()
  const rows: [string, string][] = [
    [
      'architecture',
      `${config.modelType}: ${config.layers} layers, width ${config.hidden}, ${config.heads} heads, ${config.kvHeads} key/value heads of ${config.headDim}`,
    ],
    ['vocabulary', `${config.vocab}${config.tiedEmbeddings ? ', the head is the embedding' : ''}`],
    ['context', `${config.maxPositions} positions`],
    ['runs on', `${plan.runtime}, ${plan.provider}, ${plan.threads} threads`],
    ...Object.entries(plan.formats).map(([role, format]): [string, string] => [`format of ${role}`, format]),
    ['rows exact', plan.exact ? 'yes: the same bits alone and together, tried at load' : 'no'],
    ['weights', formatBytes(memory.weightsBytes)],
    ['graph', formatBytes(memory.graphBytes)],
    ['loaded in', `${(loadMs / 1000).toFixed(2)} s`],
    ...plan.notes.map((note): [string, string] => ['note', note]),
  ]
  return alignedTable(rows)
}

function tensorList({ weights }: Checkpoint) {
  return [...weights.store.tensors.values()].map(({ name, encoding, shape, byteLength }) => ({ name, encoding, shape, bytes: byteLength }))
}
