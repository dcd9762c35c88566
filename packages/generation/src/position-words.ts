/** Two 32-bit words of the random stream for one position of one sequence. */
export function positionWords(seed: number, sequence: number, position: number): readonly [number, number] {
  const low = mix(seed ^ Math.imul(sequence, 0x9e3779b1), position)
  const high = mix((seed / 4_294_967_296) ^ low, Math.imul(position, 0x85ebca6b) ^ sequence)
  return [low, high]
}

function mix(a: number, b: number): number {
  let x = (a + Math.imul(b, 0x9e3779b1)) | 0
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return (x ^ (x >>> 15)) | 0
}
