/** `foretoken score`: how probable a text is to the model, token by token. */
import { type Score, score } from '@foretoken/generation'
import type { Tokenizer } from '@foretoken/tokenizers'
import { Command } from 'commander'
import { alignedTable } from '../aligned-table.ts'
import type { CommandContext } from '../command-context.ts'
import { addModelOptions, type ModelOptions, openModel } from '../open-model.ts'
import { parseCount, parseTokens } from '../option-values.ts'
import { printableText } from '../printable-text.ts'
import { requireOne } from '../require-one.ts'
import { styleOf } from '../terminal.ts'

interface ScoreFlags extends ModelOptions {
  readonly text?: string
  readonly tokens?: readonly number[]
  readonly top: number
  readonly json?: boolean
}

/** Of the table; the JSON object has all. */
const SHOWN_TOKENS = 5

const HELP = `
--json prints { tokens, logProbabilities, negativeLogLikelihood, perplexity, positions }; logProbabilities[i] is the natural logarithm
of the probability of tokens[i + 1], and positions[i] has { position, token, nextToken, logProbability, top: [{ id, logit }, …] }.`

export function scoreCommand(context: CommandContext): Command {
  const command = new Command('score')
    .description('log-probability of each token of a text, and the best alternatives')
    .argument('[text]', 'the text')
    .option('--text <text>', 'the same as an option')
    .option('--tokens <ids>', 'token ids instead of text, e.g. "1 2 3"', parseTokens)
    .option('--top <k>', 'how many of the best next tokens are listed', parseCount, 10)
    .option('--json', 'one JSON object instead of a table')
    .addHelpText('after', HELP)
  addModelOptions(command)
  return command.action(async (text: string | undefined, flags: ScoreFlags) => {
    const { terminal, interruption } = context
    requireOne(command, { '[text]': text, '--text': flags.text, '--tokens': flags.tokens })
    await using opened = await openModel(flags, context)
    const { lm } = opened
    const input = flags.tokens === undefined ? { prompt: text ?? flags.text ?? '' } : { tokens: flags.tokens }
    const result = await score(lm, { ...input, topK: Math.min(flags.top, lm.config.vocab), signal: interruption.signal })
    if (flags.json) terminal.out.write(`${JSON.stringify(scoreRecord(result))}\n`)
    else {
      const style = styleOf(terminal.out, terminal.environment)
      terminal.out.write(`${scoreTable(result, lm.tokenizer)}\n`)
      // a single token predicts nothing
      if (result.logProbabilities.length === 0) return
      terminal.out.write(
        `${style.bold(`perplexity ${result.perplexity.toFixed(4)}`)} (${result.negativeLogLikelihood.toFixed(5)} nats per token)\n`,
      )
    }
  })
}

/** The JSON form: flat lists, and one entry per position; the last one has no next token that was given. */
function scoreRecord({ tokens, logProbabilities, top, negativeLogLikelihood, perplexity }: Score) {
  // a single token predicts nothing; JSON has neither NaN nor Infinity
  const measured = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : null)
  const k = top?.k ?? 0
  const positions = Array.from(tokens, (token, position) => ({
    position,
    token,
    nextToken: tokens[position + 1] ?? null,
    /** Natural logarithm. */
    logProbability: measured(logProbabilities[position]),
    top: Array.from({ length: k }, (_, rank) => ({
      id: top?.tokens[position * k + rank] ?? 0,
      logit: measured(top?.logits[position * k + rank]),
    })),
  }))
  return {
    tokens: [...tokens],
    logProbabilities: Array.from(logProbabilities, (each) => measured(each)),
    negativeLogLikelihood: measured(negativeLogLikelihood),
    perplexity: measured(perplexity),
    positions,
  }
}

function scoreTable({ tokens, logProbabilities, top }: Score, tokenizer: Tokenizer | undefined): string {
  const name = (id: number) =>
    tokenizer === undefined ? `${id}` : printableText(JSON.stringify(tokenizer.decode([id], { skipSpecialTokens: false })))
  const k = top?.k ?? 0
  const rows = Array.from(tokens, (token, position) => {
    const next = tokens[position + 1]
    const given = next === undefined ? '' : `${name(next)} ${(logProbabilities[position] ?? 0).toFixed(3)}`
    const best = Array.from({ length: Math.min(k, SHOWN_TOKENS) }, (_, rank) => name(top?.tokens[position * k + rank] ?? 0))
    return [`${position}`, name(token), given, best.join(' ')]
  })
  return alignedTable([['position', 'token', 'next, log-probability', 'best'], ...rows])
}
