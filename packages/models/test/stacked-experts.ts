/** Experts of a layer in one tensor for each matrix, as llama.cpp and transformers 5 hold them, made from tensors of single experts. */
import type { NumericTensor } from './checkpoint-copies.ts'

/**
 * Takes the tensors of single experts out of the map and puts stacked ones [experts, …] in.
 *
 * @param single  matches a name of one expert: layer, index of the expert, matrix
 * @param name    of the stacked tensor of a layer and matrix
 */
export function stackExperts(tensors: Map<string, NumericTensor>, single: RegExp, name: (layer: string, matrix: string) => string): void {
  const stacks = new Map<string, NumericTensor[]>()
  for (const [each, tensor] of [...tensors]) {
    const [, layer, index, matrix] = single.exec(each) ?? []
    if (layer === undefined || index === undefined || matrix === undefined) continue
    const stacked = name(layer, matrix)
    const members = stacks.get(stacked) ?? []
    members[Number(index)] = tensor
    stacks.set(stacked, members)
    tensors.delete(each)
  }
  for (const [stacked, members] of stacks) tensors.set(stacked, stackedTensor(members))
}

function stackedTensor(members: readonly NumericTensor[]): NumericTensor {
  const [first] = members
  if (first === undefined) throw new Error('nothing to stack')
  const data = new Float32Array(members.length * first.data.length)
  members.forEach((member, at) => {
    data.set(member.data, at * first.data.length)
  })
  return { shape: [members.length, ...first.shape], data }
}
