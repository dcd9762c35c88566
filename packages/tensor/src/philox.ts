/**
 * Philox-4x32-10, the counter-based generator of Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3": ten rounds of
 * multiplications turn a counter of 128 bits and a key of 64 into 128 random bits. There is no state to carry, so any number of a
 * stream can be had at once, in any order, on any thread. Integer arithmetic only: the same bits in every engine.
 */

const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
const WEYL_0 = 0x9e3779b9
const WEYL_1 = 0xbb67ae85
const ROUNDS = 10

const TWO_TO_MINUS_32 = 2 ** -32

/**
 * Writes the four words of one block.
 *
 * @param counter0  …3: the counter, four unsigned (or signed) 32-bit words, lowest first
 * @param key0      and 1: the key, likewise
 * @param target    [4] receives unsigned words
 */
export function philox(
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
  key0: number,
  key1: number,
  target: Uint32Array,
): void {
  let x0 = counter0 >>> 0
  let x1 = counter1 | 0
  let x2 = counter2 >>> 0
  let x3 = counter3 | 0
  let k0 = key0 | 0
  let k1 = key1 | 0
  for (let round = 0; round < ROUNDS; round++) {
    const low0 = Math.imul(MULTIPLIER_0, x0) >>> 0
    const low1 = Math.imul(MULTIPLIER_1, x2) >>> 0
    const high0 = highWord(MULTIPLIER_0 * x0, low0)
    const high1 = highWord(MULTIPLIER_1 * x2, low1)
    x0 = (high1 ^ x1 ^ k0) >>> 0
    x1 = low1
    x2 = (high0 ^ x3 ^ k1) >>> 0
    x3 = low0
    k0 = (k0 + WEYL_0) | 0
    k1 = (k1 + WEYL_1) | 0
  }
  target[0] = x0
  target[1] = x1
  target[2] = x2
  target[3] = x3
}

/**
 * The upper 32 bits of a product of two 32-bit words. The float64 product is off by at most 2^10; without its low word it is a
 * multiple of 2^32 give or take 2^11, so rounding finds the exact one.
 */
function highWord(product: number, low: number): number {
  return Math.round((product - low) * TWO_TO_MINUS_32)
}
