/** The tests of Jinja: what may stand behind `is`. */
import { ArgumentReader } from './call-arguments.ts'
import { areEqual, compareValues, contains } from './comparison.ts'
import type { MarkedText } from './marked-text.ts'
import {
  type CallArguments,
  evaluationError,
  isDict,
  isFloat,
  isSequence,
  isText,
  isUndefined,
  numberOf,
  typeName,
  undefinedError,
  type Value,
} from './value.ts'
import type { WorkMeter } from './work-meter.ts'

export type Test = (value: Value, args: CallArguments, meter: WorkMeter) => boolean

function plain(holds: (value: Value) => boolean): Test {
  return (value, args) => {
    new ArgumentReader('a test', args, [])
    return holds(value)
  }
}

function against(holds: (value: Value, other: Value, meter: WorkMeter) => boolean): Test {
  return (value, args, meter) => holds(value, new ArgumentReader('a test', args, ['other']).required('other'), meter)
}

function remainder(value: Value, divisor: number): number {
  const number = numberOf(value)
  if (number === undefined) {
    if (isUndefined(value)) throw undefinedError(value)
    throw evaluationError(`a ${typeName(value)} that is tested for divisibility`, 'a number')
  }
  if (divisor === 0) throw evaluationError('a division by zero', 'another divisor')
  return ((number % divisor) + Math.abs(divisor)) % divisor
}

function hasCase(value: Value, change: (text: string) => string, meter: WorkMeter): boolean {
  const text = isText(value) ? value : ({ text: '' } satisfies Pick<MarkedText, 'text'>)
  meter.scan(text.text.length)
  return change(text.text) === text.text && text.text.toLowerCase() !== text.text.toUpperCase()
}

const equal = against(areEqual)
const different = against((value, other, meter) => !areEqual(value, other, meter))
const less = against((value, other, meter) => compareValues(value, other, meter) < 0)
const lessOrEqual = against((value, other, meter) => compareValues(value, other, meter) <= 0)
const greater = against((value, other, meter) => compareValues(value, other, meter) > 0)
const greaterOrEqual = against((value, other, meter) => compareValues(value, other, meter) >= 0)
const isCollection = (value: Value): boolean => isText(value) || isSequence(value) || isDict(value) || isUndefined(value)

export const TESTS: ReadonlyMap<string, Test> = new Map<string, Test>([
  ['defined', plain((value) => !isUndefined(value))],
  ['undefined', plain(isUndefined)],
  ['none', plain((value) => value === null)],
  ['boolean', plain((value) => typeof value === 'boolean')],
  ['true', plain((value) => value === true)],
  ['false', plain((value) => value === false)],
  ['integer', plain((value) => typeof value === 'number')],
  ['float', plain(isFloat)],
  ['number', plain((value) => numberOf(value) !== undefined)],
  ['string', plain(isText)],
  ['mapping', plain(isDict)],
  ['sequence', plain(isCollection)],
  ['iterable', plain(isCollection)],
  ['callable', plain((value) => typeof value === 'object' && value !== null && value.kind === 'callable')],
  ['escaped', plain(() => false)],
  ['odd', plain((value) => remainder(value, 2) === 1)],
  ['even', plain((value) => remainder(value, 2) === 0)],
  ['divisibleby', (value, args) => remainder(value, new ArgumentReader('divisibleby', args, ['num']).integer('num')) === 0],
  ['lower', (value, _args, meter) => hasCase(value, (text) => text.toLowerCase(), meter)],
  ['upper', (value, _args, meter) => hasCase(value, (text) => text.toUpperCase(), meter)],
  ['in', against((value, container, meter) => contains(container, value, meter))],
  [
    'sameas',
    against((value, other, meter) =>
      typeof value === 'object' && value !== null ? value === other : typeof value === typeof other && areEqual(value, other, meter),
    ),
  ],
  ['eq', equal],
  ['equalto', equal],
  ['==', equal],
  ['ne', different],
  ['!=', different],
  ['lt', less],
  ['lessthan', less],
  ['<', less],
  ['le', lessOrEqual],
  ['<=', lessOrEqual],
  ['gt', greater],
  ['greaterthan', greater],
  ['>', greater],
  ['ge', greaterOrEqual],
  ['>=', greaterOrEqual],
])

export function findTest(name: string): Test {
  const test = TESTS.get(name)
  if (test === undefined) throw evaluationError(`the test ${name}`, `one of ${[...TESTS.keys()].join(', ')}`)
  return test
}
