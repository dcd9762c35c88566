/** The scales of runtime adapters as a step feeds them. */
import { type Tensor, tensor } from '@foretoken/tensor'
import { StepError } from '../errors.ts'
import { scaleInput } from './adapter-binding.ts'
import type { LoraAdapter } from './lora-adapter.ts'

/**
 * @param wanted  scales by name, as a step gives them
 * @throws {StepError} for a name that is none of a runtime adapter, and a scale that is not finite
 */
export function scaleFeeds(
  adapters: readonly LoraAdapter[],
  wanted: Readonly<Record<string, number>> = {},
): readonly (readonly [string, Tensor])[] {
  const running = adapters.filter(({ mode }) => mode === 'runtime')
  const scales = new Map(Object.entries(wanted))
  for (const [name, scale] of scales) {
    if (!running.some((adapter) => adapter.name === name)) {
      const names = running.map((adapter) => adapter.name)
      const expected = names.length === 0 ? 'none: the model has no runtime adapters' : `runtime adapters: ${names.join(', ')}`
      throw new StepError({ field: 'adapters', found: name, expected })
    }
    if (!Number.isFinite(scale)) throw new StepError({ field: `adapters.${name}`, found: `${scale}`, expected: 'a finite number' })
  }
  return running.map(({ name, scale }, index) => [scaleInput(index), tensor('float32', [], Float32Array.of(scales.get(name) ?? scale))])
}

/** Lines for the plan. */
export function adapterNotes(adapters: readonly LoraAdapter[]): readonly string[] {
  return adapters.map(({ name, mode, scale, pairs }) => {
    const ranks = [...new Set(pairs.map(({ rank }) => rank))].sort((a, b) => a - b)
    const what = `adapter ${name}: ${pairs.length} modules of rank ${ranks.join(', ')}`
    return `${what}, ${mode === 'merge' ? `merged with scale ${scale}` : `run beside the weights, with scale ${scale} unless a step says another`}`
  })
}
