/** What the ropes of a model say about its context: a dynamic one has no end, LongRoPE jumps at a length. */
import type { LayerDescription } from '../architectures/architecture.ts'
import type { ModelConfig } from '../causal-lm.ts'

/** The configuration with the limits that follow from the ropes of its layers. */
export function withRopeLimits(config: ModelConfig, layers: readonly LayerDescription[]): ModelConfig {
  const ropes = layers.flatMap((layer) => (layer.rope === undefined ? [] : [layer.rope]))
  const switches = ropes.flatMap((rope) => (rope.switchLength === undefined ? [] : [rope.switchLength]))
  return {
    ...config,
    ...(ropes.some((rope) => rope.kind === 'dynamic') ? { maxPositions: Number.POSITIVE_INFINITY } : {}),
    ...(switches.length === 0 ? {} : { ropeSwitch: Math.min(...switches) }),
  }
}
