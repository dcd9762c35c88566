import type { CharacterSet } from './pattern-tree.ts'

/**
 * Membership of characters in a set. The engine's own tables answer (a `RegExp` of one class); answers for the Basic Multilingual Plane
 * are kept, one byte per character: 0 unknown, 1 inside, 2 outside.
 */
export interface CharacterTest {
  has(codePoint: number): boolean
}

export function makeCharacterTest({ source }: CharacterSet): CharacterTest {
  const pattern = new RegExp(`^${source}$`, 'v')
  let answers = new Uint8Array(128)
  return {
    has(codePoint) {
      if (codePoint >= answers.length) {
        if (codePoint > 0xffff) return pattern.test(String.fromCodePoint(codePoint))
        const larger = new Uint8Array(0x10000)
        larger.set(answers)
        answers = larger
      }
      const answer = answers[codePoint]
      if (answer !== 0) return answer === 1
      const isInside = pattern.test(String.fromCharCode(codePoint))
      answers[codePoint] = isInside ? 1 : 2
      return isInside
    },
  }
}
