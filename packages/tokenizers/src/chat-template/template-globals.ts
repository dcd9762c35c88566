/** The names that every template knows: constants, `range`, `dict`, `raise_exception` and `strftime_now`. */
import type { Environment } from '@huggingface/jinja'
import { ChatTemplateError } from './chat-template-error.ts'
import type { StepBudget } from './step-budget.ts'
import { formatTime } from './time-format.ts'
import { dictOf, functionOf, isDict, isNumber, isText, listOf, namedArguments, plainValue, type Value } from './values.ts'

/** As in Jinja's sandbox. */
const MAX_RANGE = 100_000
/** Steps for an element of a range: it takes memory. */
const ELEMENT_STEPS = 4

export function defineGlobals(scope: Environment, budget: StepBudget, clock: () => Date): void {
  const define = (name: string, value: Value) => scope.variables.set(name, value)
  for (const constant of [true, false]) {
    define(String(constant), plainValue(constant))
    define(constant ? 'True' : 'False', plainValue(constant))
  }
  define('none', plainValue(null))
  define('None', plainValue(null))
  define(
    'range',
    functionOf((args) => range(args, budget)),
  )
  define(
    'dict',
    functionOf((args) => dict(args, budget)),
  )
  define(
    'raise_exception',
    functionOf(([message]) => {
      throw new ChatTemplateError('refused', isText(message) ? message.value : 'a conversation', 'a conversation that the template allows')
    }),
  )
  define(
    'strftime_now',
    functionOf(([format]) => {
      if (!isText(format)) throw new Error('strftime_now needs a format')
      budget.spend(format.value.length)
      return plainValue(formatTime(clock(), format.value))
    }),
  )
}

function range(args: readonly Value[], budget: StepBudget): Value {
  const numbers = args.map((arg) => {
    if (!isNumber(arg) || !Number.isSafeInteger(arg.value)) throw new Error('range needs integers')
    return arg.value
  })
  const [start, stop, step = 1] = numbers.length === 1 ? [0, numbers[0]] : numbers
  if (start === undefined || stop === undefined || numbers.length > 3 || step === 0) throw new Error('range needs one to three integers')
  const length = Math.max(0, Math.ceil((stop - start) / step))
  if (length > MAX_RANGE) throw new ChatTemplateError('limit', `a range of ${length} numbers`, `at most ${MAX_RANGE}`)
  budget.spend(ELEMENT_STEPS * length)
  return listOf(Array.from({ length }, (_, index) => plainValue(start + index * step)))
}

/** Of another dictionary and names; not of pairs. */
function dict(args: readonly Value[], budget: StepBudget): Value {
  const named = namedArguments(args)
  const [base, ...rest] = args.filter(({ type }) => type !== 'KeywordArgumentsValue')
  if (rest.length > 0 || (base !== undefined && !isDict(base))) throw new Error(`dict of ${base?.type}`)
  const entries = new Map([...(base?.value ?? []), ...named])
  budget.spend(ELEMENT_STEPS * entries.size)
  return dictOf(entries)
}
