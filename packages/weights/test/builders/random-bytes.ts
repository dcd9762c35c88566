/** Seeded pseudo-random bytes (mulberry32): the same in every run and runtime. */
export function randomBytes(length: number, seed: number): Uint8Array {
  const next = uniform(seed)
  return Uint8Array.from({ length }, () => Math.floor(next() * 256))
}

/** Seeded normally distributed values (Box and Muller). */
export function randomNormal(length: number, seed: number, deviation = 1): Float32Array {
  const next = uniform(seed)
  return Float32Array.from({ length }, () => deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()))
}

function uniform(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
