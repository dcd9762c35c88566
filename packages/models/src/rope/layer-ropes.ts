/** Two ropes in one model: layers that attend within a window turn by another base than those that see everything. */
import { type ConfigReader, configReader } from '../config/config-reader.ts'
import type { Rope } from './rope.ts'
import { type RopeShape, readRope } from './rope-kinds.ts'

export interface LayerRopes {
  /** Of layers without a window: with the configuration's base and scaling. */
  readonly full: Rope
  /** Of layers with a window: never scaled. */
  readonly sliding: Rope
}

/**
 * @param slidingTheta  base of the layers with a window where the file does not say it in `rope_parameters.sliding_attention`
 * @throws {ConfigError} as `readRope`
 */
export function readLayerRopes(config: ConfigReader, shape: RopeShape, slidingTheta: number): LayerRopes {
  const byType = config.object('rope_parameters')
  return {
    full: readRope(config, shape, byType?.object('full_attention')),
    sliding: readRope(config, shape, byType?.object('sliding_attention') ?? configReader({ rope_theta: slidingTheta }, config.file)),
  }
}
