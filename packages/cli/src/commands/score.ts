/** `foretoken score`: how probable a text is to the model, token by token. */
import { type Score, score } from '@foretoken/generation'
import { ArgumentError } from '@foretoken/tensor'
import type { Tokenizer } from '@foretoken/tokenizers'
import { Command } from 'commander'
import { alignedTable } from '../aligned-table.ts'
import type { CommandContext } from '../command-context.ts'
import { addModelOptions, type ModelOptions, openModel } from '../open-model.ts'
import { parseCount, parseTokens } from '../option-values.ts'
import { styleOf } from '../terminal.ts'

interface ScoreFlags extends ModelOptions {
  readonly text?: string
  readonly tokens?: readonly number[]
  readonly top: number
  readonly json?: boolean
}

export function scoreCommand(context: CommandContext): Command {
  const command = new Command('score')
    .description('log-probability of each token of a text, and the best alternatives')
    .option('--text <text>', 'the text')
    .option('--tokens <ids>', 'token ids instead of text, e.g. "1 2 3"', parseTokens)
    .option('--top <k>', 'how many of the best next tokens are listed', parseCount, 10)
    .option('--json', 'one JSON object instead of a table')
  addModelOptions(command)
  return command.action(async (flags: ScoreFlags) => {
    const { terminal, interruption } = context
    if ((flags.text === undefined) === (flags.tokens === undefined)) {
      throw new ArgumentError({ field: '--text, --tokens', found: flags.text === undefined ? 'neither' : 'both', expected: 'one of them' })
    }
    await using opened = await openModel(flags, context)
    const { lm } = opened
    const input = flags.tokens === undefined ? { prompt: flags.text ?? '' } : { tokens: flags.tokens }
    const result = await score(lm, { ...input, topK: Math.min(flags.top, lm.config.vocab), signal: interruption.signal })
    if (flags.json) terminal.out.write(`${JSON.stringify(scoreRecord(result))}\n`)
    else {
      const style = styleOf(terminal.out, terminal.environment)
      terminal.out.write(`${scoreTable(result, lm.tokenizer)}\n`)
      terminal.out.write(
        `${style.bold(`perplexity ${result.perplexity.toFixed(4)}`)} (${result.negativeLogLikelihood.toFixed(5)} nats per token)\n`,
      )
    }
  })
}

/** The JSON form: one entry per position; the last one has no next token that was given. */
export function scoreRecord({ tokens, logProbabilities, top, negativeLogLikelihood, perplexity }: Score) {
  const k = top?.k ?? 0
  const positions = Array.from(tokens, (token, position) => ({
    position,
    token,
    nextToken: tokens[position + 1] ?? null,
    /** Natural logarithm. */
    logProbability: logProbabilities[position] ?? null,
    top: Array.from({ length: k }, (_, rank) => ({
      id: top?.tokens[position * k + rank] ?? 0,
      logit: top?.logits[position * k + rank] ?? 0,
    })),
  }))
  // a single token predicts nothing, and JSON has no NaN
  const measured = (value: number) => (Number.isFinite(value) ? value : null)
  return { positions, negativeLogLikelihood: measured(negativeLogLikelihood), perplexity: measured(perplexity) }
}

function scoreTable({ tokens, logProbabilities, top }: Score, tokenizer: Tokenizer | undefined): string {
  const name = (id: number) => (tokenizer === undefined ? `${id}` : JSON.stringify(tokenizer.decode([id])))
  const k = top?.k ?? 0
  const rows = Array.from(tokens, (token, position) => {
    const next = tokens[position + 1]
    const given = next === undefined ? '' : `${name(next)} ${(logProbabilities[position] ?? 0).toFixed(3)}`
    const best = Array.from({ length: Math.min(k, 5) }, (_, rank) => name(top?.tokens[position * k + rank] ?? 0))
    return [`${position}`, name(token), given, best.join(' ')]
  })
  return alignedTable([['position', 'token', 'next, log-probability', 'best'], ...rows])
}
