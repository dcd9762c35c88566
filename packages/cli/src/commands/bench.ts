/** `foretoken bench`: how long a prefill and a step take on this machine, at several lengths of context; with --quality what formats cost. */
import { readFile } from 'node:fs/promises'
import type { CausalLM } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import { Command } from 'commander'
import { alignedTable } from '../aligned-table.ts'
import type { CommandContext } from '../command-context.ts'
import { formatQualities, qualityTable, textTokens } from '../format-quality.ts'
import { addModelOptions, locateModel, type ModelOptions, openModel, openWeights } from '../open-model.ts'
import { collectCounts, parsePositiveCount } from '../option-values.ts'
import { planSummary, stepTimeLines } from '../plan-lines.ts'

interface BenchFlags extends ModelOptions {
  readonly steps: number
  readonly context?: readonly number[]
  readonly quality?: boolean
  readonly text?: string
  readonly textTokens: number
  readonly json?: boolean
}

interface BenchRow {
  readonly context: number
  /** Median, in milliseconds. */
  readonly stepMs: number
  readonly fastestMs: number
  readonly slowestMs: number
  /** Of the prompt that filled the context, logits of the last row included. */
  readonly prefillTokensPerSecond: number
}

const CONTEXTS = [16, 512, 2048]
const PREFILL_ROWS = 128

export function benchCommand(context: CommandContext): Command {
  const command = new Command('bench')
    .description('time of a prefill and of a step at several lengths of context')
    .option('--steps <n>', 'timed steps for each context', parsePositiveCount, 32)
    .option(
      '--context <n...>',
      `tokens of context, e.g. --context 16 512 (default: ${CONTEXTS.join(' ')}, as far as the model has them)`,
      collectCounts(parsePositiveCount),
    )
    .option('--quality', 'instead of times: perplexity, best tokens and divergence of each format (or of --format) against float32')
    .option('--text <file>', 'the text that --quality is measured on')
    .option('--text-tokens <n>', 'how much of it, from its start', parsePositiveCount, 512)
    .option('--json', 'one JSON object instead of a table: { model, plan, loadMs, rows }, with --quality { model, tokens, rows }')
  addModelOptions(command)
  return command.action(async (flags: BenchFlags) => {
    const { terminal, interruption } = context
    if (flags.quality) return measureFormats(flags, context)
    if (flags.text !== undefined) throw new ArgumentError({ field: '--text', found: 'a text', expected: '--quality with it' })
    await using opened = await openModel(flags, context)
    const { lm } = opened
    const rows: BenchRow[] = []
    for (const length of contextsOf(flags, lm.config.maxPositions)) {
      rows.push(await measure(lm, length, flags.steps, interruption.signal))
    }
    if (flags.json) {
      terminal.out.write(`${JSON.stringify({ model: opened.found.path, plan: lm.plan, loadMs: opened.loadMs, rows })}\n`)
      return
    }
    const table = rows.map((row) => [
      `${row.context}`,
      row.stepMs.toFixed(2),
      `${row.fastestMs.toFixed(2)} to ${row.slowestMs.toFixed(2)}`,
      (1000 / row.stepMs).toFixed(1),
      row.prefillTokensPerSecond.toFixed(0),
    ])
    terminal.out.write(`${alignedTable([['context', 'ms per token', 'range', 'tokens/s', 'prefill tokens/s'], ...table])}\n`)
    terminal.out.write(`loaded in ${(opened.loadMs / 1000).toFixed(2)} s; ${planSummary(lm.plan)}\n`)
    const kept = stepTimeLines(lm.plan.stepTimes ?? [])
    if (kept.length > 0) terminal.out.write(`${alignedTable(kept)}\n`)
  })
}

async function measureFormats(flags: BenchFlags, context: CommandContext): Promise<void> {
  const { terminal, interruption } = context
  if (flags.text === undefined) throw new ArgumentError({ field: '--text', found: 'no file', expected: 'a text to measure --quality on' })
  const text = await readFile(flags.text, 'utf8')
  const { path } = await locateModel(flags, context)
  let shown: string | undefined
  const { tokens, rows } = await formatQualities({
    ...(flags.format === undefined ? {} : { formats: [flags.format] }),
    open: async (format) => (await openWeights(path, { ...flags, format }, context)).lm,
    tokens: (lm) => textTokens(lm, text, flags.textTokens),
    onProgress(format) {
      if (format !== shown) terminal.err.write(`Reading the text in ${format}\n`)
      shown = format
    },
    signal: interruption.signal,
  })
  if (flags.json) terminal.out.write(`${JSON.stringify({ model: path, tokens, rows })}\n`)
  else terminal.out.write(`${qualityTable(rows)}\n${tokens} tokens of ${flags.text}\n`)
}

/** @throws {ArgumentError} when a length that was asked for does not fit */
function contextsOf({ context, steps }: BenchFlags, maxPositions: number): readonly number[] {
  const room = maxPositions - steps
  const fitting = (context ?? CONTEXTS).filter((length) => length <= room)
  if (fitting.length > 0 && (context === undefined || fitting.length === context.length)) return fitting
  throw new ArgumentError({
    field: context === undefined ? '--steps' : '--context',
    found: context === undefined ? `${steps}` : context.join(' '),
    expected: `at most ${Math.max(0, room)} tokens before ${steps} steps: the model has ${maxPositions} positions`,
  })
}

async function measure(lm: CausalLM, context: number, steps: number, signal: AbortSignal): Promise<BenchRow> {
  await using cache = lm.createCache()
  const token = (position: number) => (position * 31 + 7) % lm.config.vocab
  const start = performance.now()
  while (cache.length < context) {
    const rows = Math.min(PREFILL_ROWS, lm.maxSteps(cache), context - cache.length)
    const tokens = Int32Array.from({ length: rows }, (_, row) => token(cache.length + row))
    const isLast = cache.length + rows === context
    const { rows: computed } = await lm.forward({ tokens, cache, want: isLast ? { logits: 'last' } : {}, signal })
    cache.append(computed)
  }
  const prefillMs = performance.now() - start
  const times: number[] = []
  for (let step = 0; step < steps; step++) {
    const stepStart = performance.now()
    const { rows } = await lm.forward({ tokens: Int32Array.of(token(cache.length)), cache, want: { logits: 'last' }, signal })
    cache.append(rows)
    times.push(performance.now() - stepStart)
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0
  return { context, stepMs: at(0.5), fastestMs: at(0), slowestMs: at(1), prefillTokensPerSecond: (context * 1000) / prefillMs }
}
