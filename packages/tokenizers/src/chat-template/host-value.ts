/** Values of JavaScript for a template: plain data only, copied, so that a template sees nothing of the objects themselves. */
import { ChatTemplateError } from './chat-template-error.ts'
import type { StepBudget } from './step-budget.ts'
import { TemplateFloat } from './template-float.ts'
import { dictOf, floatOf, listOf, plainValue, type Value } from './values.ts'

const MAX_DEPTH = 100

/**
 * @param path  where the value stands, for errors
 * @param mark  applied to every text and key
 * @throws {ChatTemplateError} reason `input` for functions, symbols and data without end
 */
export function valueFromHost(value: unknown, path: string, mark: (text: string) => string, budget: StepBudget, depth = 0): Value {
  budget.spend(1)
  if (depth > MAX_DEPTH)
    throw new ChatTemplateError('input', `${path}: data nested more than ${MAX_DEPTH} deep, or in a cycle`, 'plain data')
  if (typeof value === 'string') {
    budget.joinText(value.length)
    return plainValue(mark(value))
  }
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return plainValue(value)
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return plainValue(Number(value))
  if (value instanceof TemplateFloat) return floatOf(value.value)
  if (typeof value !== 'object')
    throw new ChatTemplateError(
      'input',
      `${path}: ${typeof value === 'bigint' ? `the integer ${value}` : `a ${typeof value}`}`,
      'plain data',
    )
  if (Array.isArray(value)) return listOf(value.map((item, index) => valueFromHost(item, `${path}[${index}]`, mark, budget, depth + 1)))
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return dictOf(new Map(entries.map(([key, item]) => [mark(key), valueFromHost(item, `${path}.${key}`, mark, budget, depth + 1)])))
}
