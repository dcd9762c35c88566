/** Small random LoRA adapters in PEFT's form, and checkpoints whose weights were changed by hand in float64. */
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomStream } from '@foretoken/tensor'
import { decodeToFloat32, openWeights, writeSafetensors } from '@foretoken/weights'

export interface TinyPair {
  /** E.g. `model.layers.0.self_attn.q_proj` */
  readonly module: string
  readonly rank: number
  readonly inputs: number
  readonly outputs: number
  /** [rank, inputs] */
  readonly a: Float32Array
  /** [outputs, rank] */
  readonly b: Float32Array
}

/** Matrices of numbers around zero, large enough that logits change by several tenths. */
export function tinyPair(module: string, [outputs, inputs]: readonly [number, number], rank: number, seed: number): TinyPair {
  const stream = randomStream({ seed })
  let index = 0
  const draw = (length: number) => Float32Array.from({ length }, () => stream.uniform(index++) - 0.5)
  return { module, rank, inputs, outputs, a: draw(rank * inputs), b: draw(outputs * rank) }
}

const bytesOf = (data: Float32Array) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

export async function writeAdapter(folder: string, pairs: readonly TinyPair[], config: Record<string, unknown> = {}): Promise<string> {
  await mkdir(folder, { recursive: true })
  const targets = [...new Set(pairs.map(({ module }) => module.slice(module.lastIndexOf('.') + 1)))]
  const plain = {
    auto_mapping: null,
    base_model_name_or_path: 'tiny',
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: 8,
    lora_dropout: 0.05,
    modules_to_save: null,
    peft_type: 'LORA',
    r: pairs[0]?.rank ?? 4,
    rank_pattern: {},
    alpha_pattern: {},
    target_modules: targets,
    task_type: 'CAUSAL_LM',
    use_dora: false,
    use_rslora: false,
  }
  await writeFile(join(folder, 'adapter_config.json'), JSON.stringify({ ...plain, ...config }))
  const tensors = pairs.flatMap(({ module, rank, inputs, outputs, a, b }) => [
    { name: `base_model.model.${module}.lora_A.weight`, encoding: 'F32' as const, shape: [rank, inputs], bytes: bytesOf(a) },
    { name: `base_model.model.${module}.lora_B.weight`, encoding: 'F32' as const, shape: [outputs, rank], bytes: bytesOf(b) },
  ])
  await writeFile(join(folder, 'adapter_model.safetensors'), Buffer.concat(writeSafetensors(tensors)))
  return folder
}

/** The checkpoint with `factor * B A` added to the weights of the pairs' modules; `isTransposed` where they lie as [inputs, outputs]. */
export async function changedCheckpoint(
  source: string,
  folder: string,
  changes: readonly { readonly pair: TinyPair; readonly factor: number }[],
  isTransposed = false,
): Promise<string> {
  await mkdir(folder, { recursive: true })
  await cp(join(source, 'config.json'), join(folder, 'config.json'))
  await using store = await openWeights(source)
  const tensors: { name: string; encoding: 'F32'; shape: readonly number[]; bytes: Uint8Array }[] = []
  for (const { name, shape } of store.tensors.values()) {
    const exact = Float64Array.from(decodeToFloat32(await store.read(name)))
    for (const { pair, factor } of changes) {
      if (name !== `${pair.module}.weight`) continue
      for (let row = 0; row < pair.outputs; row++) {
        for (let column = 0; column < pair.inputs; column++) {
          let sum = 0
          for (let term = 0; term < pair.rank; term++)
            sum += (pair.b[row * pair.rank + term] ?? 0) * (pair.a[term * pair.inputs + column] ?? 0)
          const at = isTransposed ? column * pair.outputs + row : row * pair.inputs + column
          exact[at] = (exact[at] ?? 0) + factor * sum
        }
      }
    }
    tensors.push({ name, encoding: 'F32', shape, bytes: bytesOf(Float32Array.from(exact)) })
  }
  await writeFile(join(folder, 'model.safetensors'), Buffer.concat(writeSafetensors(tensors)))
  return folder
}
