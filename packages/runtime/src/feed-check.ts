/**
 * What a graph wants to be fed, checked before the runtime sees it. A native kernel that gets a wrong size does not always throw:
 * some end the process. The check is a few comparisons per input, prepared when the session opens.
 */
import { ArgumentError, arrayLength, DTypeError, isDataOf, ShapeError, type Tensor } from '@foretoken/tensor'
import type { ValueInfo } from './session.ts'

/** @throws {ArgumentError} for a missing or unknown input, {DTypeError}, {ShapeError} */
export function checkFeeds(graph: string, inputs: readonly ValueInfo[], feeds: ReadonlyMap<string, Tensor>): void {
  for (const input of inputs) {
    const tensor = feeds.get(input.name)
    if (tensor === undefined)
      throw new ArgumentError({ file: graph, tensor: input.name, found: 'no such feed', expected: describeInput(input) })
    checkFeed(graph, input, tensor)
  }
  if (feeds.size === inputs.length) return
  const known = new Set(inputs.map(({ name }) => name))
  for (const name of feeds.keys()) {
    if (!known.has(name)) {
      throw new ArgumentError({
        file: graph,
        tensor: name,
        found: 'a feed that the graph does not take',
        expected: `only ${[...known].join(', ')}`,
      })
    }
  }
}

/** @throws {ArgumentError} for no outputs at all, or one that the graph does not have */
export function checkFetches(graph: string, outputs: readonly ValueInfo[], fetches: readonly string[]): void {
  if (fetches.length === 0) throw new ArgumentError({ file: graph, field: 'fetches', found: 'none', expected: 'at least one output' })
  for (const name of fetches) {
    if (outputs.every((output) => output.name !== name)) {
      const expected = `one of ${outputs.map((output) => output.name).join(', ')}`
      throw new ArgumentError({ file: graph, tensor: name, found: 'an output that the graph does not have', expected })
    }
  }
}

function checkFeed(graph: string, input: ValueInfo, tensor: Tensor): void {
  const { dims, data } = tensor
  if (tensor.type !== input.type) {
    throw new DTypeError({ file: graph, tensor: input.name, found: tensor.type, expected: describeInput(input) })
  }
  if (tensor.location !== 'cpu') {
    throw new ArgumentError({ file: graph, tensor: input.name, found: `data in ${tensor.location}`, expected: 'data in a typed array' })
  }
  if (!isDataOf(input.type, data)) {
    throw new DTypeError({
      file: graph,
      tensor: input.name,
      found: Object.prototype.toString.call(data),
      expected: `the typed array of ${input.type}`,
    })
  }
  let elements = 1
  let fits = dims.length === input.dims.length
  for (let d = 0; d < dims.length; d++) {
    const dim = dims[d] ?? -1
    const wanted = input.dims[d]
    if (!Number.isSafeInteger(dim) || dim < 0 || (typeof wanted === 'number' && wanted !== dim)) fits = false
    elements *= dim
  }
  if (!fits) throw new ShapeError({ file: graph, tensor: input.name, found: `[${dims.join(', ')}]`, expected: describeInput(input) })
  const length = arrayLength(input.type, elements)
  if (data.length !== length) {
    const expected = `${length} for [${dims.join(', ')}]`
    throw new ShapeError({ file: graph, tensor: input.name, found: `${data.length} elements in the array`, expected })
  }
}

function describeInput({ type, dims }: ValueInfo): string {
  return `${type} [${dims.join(', ')}]`
}
