/**
 * What several consumers derive from the same value is computed once per graph, as long as the earlier result is still
 * visible (a result inside of a branch is not seen after it).
 */
import type { Graph } from './graph.ts'
import type { Value } from './value.ts'

const derived = new WeakMap<Graph, Map<string, Value>>()

export function oncePerValue(x: Value, what: string, derive: () => Value): Value {
  return oncePerGraph(x.graph, `${what} ${x.name} ${x.dims.join()}`, derive)
}

export function oncePerGraph(graph: Graph, what: string, derive: () => Value): Value {
  const cache = derived.get(graph) ?? new Map<string, Value>()
  derived.set(graph, cache)
  const existing = cache.get(what)
  if (existing !== undefined && graph.isVisible(existing)) return existing
  const result = derive()
  cache.set(what, result)
  return result
}
