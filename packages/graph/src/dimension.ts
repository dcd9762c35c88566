/**
 * Dimensions that may not be known while a graph is built. A dimension is a number, or a polynomial over symbols written as
 * text: `past`, `tail+steps`, `3*steps`. Symbols stand for whole numbers that are only known when the graph runs; two
 * symbols are the same dimension only if they have the same name. Sums keep the order in which their terms first appeared
 * (concatenating `tail` and `steps` gives `tail+steps`), the constant comes last, and equality does not depend on order.
 */
export type Dim = number | string

/** Coefficients by monomial; a monomial is its symbols, sorted and joined by `*`, and the empty text for the constant. */
type Polynomial = ReadonlyMap<string, number>

const SYMBOL = /^[A-Za-z_][A-Za-z0-9_.:/#]*$/
const WHOLE = /^[0-9]+$/

/** Whether a number or text can be read as a dimension. */
export function isDim(dim: Dim): boolean {
  return typeof dim === 'number' ? Number.isSafeInteger(dim) && dim >= 0 : parse(dim) !== undefined
}

/** The sum of dimensions, in canonical form. */
export function addDims(...dims: readonly Dim[]): Dim {
  if (dims.every((dim) => typeof dim === 'number')) return dims.reduce((sum, dim) => sum + dim, 0)
  const sum = new Map<string, number>()
  for (const dim of dims) for (const [monomial, coefficient] of polynomial(dim)) accumulate(sum, monomial, coefficient)
  return show(sum)
}

/** `a - b`. The result may be negative for some values of the symbols: whoever subtracts knows better or checks `leastValue`. */
export function subtractDims(a: Dim, b: Dim): Dim {
  return addDims(a, multiplyDims(-1, b))
}

/** The product of dimensions, in canonical form; 1 for none. */
export function multiplyDims(...dims: readonly Dim[]): Dim {
  if (dims.every((dim) => typeof dim === 'number')) return dims.reduce((product, dim) => product * dim, 1)
  let product: Polynomial = new Map([['', 1]])
  for (const dim of dims) product = multiply(product, polynomial(dim))
  return show(product)
}

/** `a / b` where it is exact whatever the symbols are; undefined otherwise. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  const divisor = polynomial(b)
  const leading = leadingTerm(divisor)
  if (leading === undefined) return undefined
  const remainder = new Map(polynomial(a))
  const quotient = new Map<string, number>()
  for (;;) {
    const term = leadingTerm(remainder)
    if (term === undefined) return show(quotient)
    const monomial = divideMonomials(term.monomial, leading.monomial)
    const coefficient = term.coefficient / leading.coefficient
    if (monomial === undefined || !Number.isInteger(coefficient)) return undefined
    accumulate(quotient, monomial, coefficient)
    for (const [part, factor] of divisor) accumulate(remainder, multiplyMonomials(part, monomial), -coefficient * factor)
  }
}

/** Whether two dimensions are equal whatever the symbols are. */
export function sameDim(a: Dim, b: Dim): boolean {
  if (a === b) return true
  if (typeof a === 'number' && typeof b === 'number') return false
  return difference(a, b).size === 0
}

/** Whether two lists of dimensions are equal whatever the symbols are. */
export function sameDims(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, axis) => sameDim(dim, b[axis] ?? Number.NaN))
}

/** Whether no positive values of the symbols make the two equal. */
export function provablyDifferent(a: Dim, b: Dim): boolean {
  const coefficients = [...difference(a, b).values()]
  return coefficients.length > 0 && (coefficients.every((value) => value > 0) || coefficients.every((value) => value < 0))
}

/** The least value that a dimension can have when its symbols are 0 or more; undefined when there is none. */
export function leastValue(dim: Dim): number | undefined {
  if (typeof dim === 'number') return dim
  const terms = polynomial(dim)
  for (const coefficient of terms.values()) if (coefficient < 0) return undefined
  return terms.get('') ?? 0
}

/** The symbols of a dimension, each once. */
export function symbolsOf(dim: Dim): readonly string[] {
  if (typeof dim === 'number') return []
  const symbols = new Set<string>()
  for (const monomial of polynomial(dim).keys()) for (const symbol of factors(monomial)) symbols.add(symbol)
  return [...symbols]
}

/** The terms of a dimension: each a whole number times symbols. */
export function termsOf(dim: Dim): readonly { readonly coefficient: number; readonly symbols: readonly string[] }[] {
  return [...polynomial(dim)].map(([monomial, coefficient]) => ({ coefficient, symbols: factors(monomial) }))
}

/** The value of a dimension when its symbols have these values; undefined when one is not given. */
export function evaluateDim(dim: Dim, values: ReadonlyMap<string, number>): number | undefined {
  if (typeof dim === 'number') return dim
  let sum = 0
  for (const [monomial, coefficient] of polynomial(dim)) {
    let product = coefficient
    for (const symbol of factors(monomial)) {
      const value = values.get(symbol)
      if (value === undefined) return undefined
      product *= value
    }
    sum += product
  }
  return sum
}

/** `[1, steps, 64]` */
export function showDims(dims: readonly Dim[]): string {
  return `[${dims.join(', ')}]`
}

/** The canonical form of a dimension that a person wrote. @throws RangeError when it is none */
export function canonicalDim(dim: Dim): Dim {
  if (typeof dim === 'number') {
    if (!Number.isSafeInteger(dim) || dim < 0) throw new RangeError(`${dim} is no dimension`)
    return dim
  }
  return show(polynomial(dim))
}

function polynomial(dim: Dim): Polynomial {
  if (typeof dim === 'number') return dim === 0 ? new Map() : new Map([['', dim]])
  if (SYMBOL.test(dim)) return new Map([[dim, 1]])
  const parsed = parse(dim)
  if (parsed === undefined) throw new RangeError(`'${dim}' is no dimension: expected symbols joined by +, - and *`)
  return parsed
}

function parse(text: string): Polynomial | undefined {
  const sum = new Map<string, number>()
  for (const term of text.replaceAll(' ', '').replaceAll('-', '+-').replace(/^\+-/, '-').split('+')) {
    const isNegative = term.startsWith('-')
    let coefficient = isNegative ? -1 : 1
    const symbols: string[] = []
    for (const factor of (isNegative ? term.slice(1) : term).split('*')) {
      if (WHOLE.test(factor)) coefficient *= Number(factor)
      else if (SYMBOL.test(factor)) symbols.push(factor)
      else return undefined
    }
    accumulate(sum, symbols.sort().join('*'), coefficient)
  }
  return sum
}

function show(terms: Polynomial): Dim {
  let text = ''
  for (const [monomial, coefficient] of terms) {
    if (monomial === '') continue
    const factor = Math.abs(coefficient) === 1 ? monomial : `${Math.abs(coefficient)}*${monomial}`
    text += coefficient < 0 ? `-${factor}` : text === '' ? factor : `+${factor}`
  }
  const constant = terms.get('') ?? 0
  if (text === '') return constant
  return constant === 0 ? text : constant < 0 ? `${text}${constant}` : `${text}+${constant}`
}

function accumulate(sum: Map<string, number>, monomial: string, coefficient: number): void {
  const total = (sum.get(monomial) ?? 0) + coefficient
  if (total === 0) sum.delete(monomial)
  else sum.set(monomial, total)
}

function difference(a: Dim, b: Dim): Polynomial {
  const result = new Map(polynomial(a))
  for (const [monomial, coefficient] of polynomial(b)) accumulate(result, monomial, -coefficient)
  return result
}

function multiply(a: Polynomial, b: Polynomial): Polynomial {
  const product = new Map<string, number>()
  for (const [left, leftCoefficient] of a)
    for (const [right, rightCoefficient] of b) accumulate(product, multiplyMonomials(left, right), leftCoefficient * rightCoefficient)
  return product
}

function factors(monomial: string): string[] {
  return monomial === '' ? [] : monomial.split('*')
}

function multiplyMonomials(a: string, b: string): string {
  return [...factors(a), ...factors(b)].sort().join('*')
}

function divideMonomials(a: string, b: string): string | undefined {
  const rest = factors(a)
  for (const symbol of factors(b)) {
    const index = rest.indexOf(symbol)
    if (index < 0) return undefined
    rest.splice(index, 1)
  }
  return rest.join('*')
}

/** The term of the highest degree, the lexically first among equals: an order that multiplication keeps, as long division needs. */
function leadingTerm(terms: Polynomial): { monomial: string; coefficient: number } | undefined {
  let best: { monomial: string; coefficient: number } | undefined
  for (const [monomial, coefficient] of terms) {
    if (best === undefined || precedes(monomial, best.monomial)) best = { monomial, coefficient }
  }
  return best
}

function precedes(a: string, b: string): boolean {
  const left = factors(a)
  const right = factors(b)
  if (left.length !== right.length) return left.length > right.length
  for (let index = 0; index < left.length; index++) {
    const one = left[index] ?? ''
    const other = right[index] ?? ''
    if (one !== other) return one < other
  }
  return false
}
