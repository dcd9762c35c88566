/**
 * The bytes of all tokens as a tree, laid out depth first in flat arrays: a walk is a loop that jumps behind a subtree when its first byte is
 * refused. Tokens of the same bytes share a node.
 */
import type { OutputVocabulary } from './constraint.ts'

export interface TokenTrie {
  /** [nodes] byte that leads into each node. */
  readonly bytes: Uint8Array
  /** [nodes] 0 for the first byte of tokens. */
  readonly depths: Uint16Array
  /** [nodes] index behind the subtree. */
  readonly behind: Int32Array
  /** [nodes + 1] where the tokens of each node begin in `tokens`. */
  readonly firstToken: Int32Array
  readonly tokens: Int32Array
  readonly deepest: number
}

/** A token of more bytes is left out; none in use comes near. */
const LONGEST_TOKEN = 4096

/** @param isFirst  whether the text of an output begins with the token: a space that is dropped there is not looked at */
export function tokenTrie({ size, bytesOf, dropsFirstSpace }: OutputVocabulary, isFirst: boolean): TokenTrie {
  const entries: { readonly key: string; readonly token: number }[] = []
  for (let token = 0; token < size; token++) {
    const bytes = bytesOf(token)
    if (bytes === undefined || bytes.length > LONGEST_TOKEN) continue
    const key = binaryText(isFirst && dropsFirstSpace && bytes[0] === 0x20 ? bytes.subarray(1) : bytes)
    // a token without text would be allowed for ever
    if (key !== '') entries.push({ key, token })
  }
  entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.token - b.token))
  const bytes: number[] = []
  const depths: number[] = []
  const behind: number[] = []
  const firstToken: number[] = []
  const tokens: number[] = []
  /** Nodes on the way to the latest one. */
  const open: number[] = []
  let previous = ''
  let deepest = 0
  for (const { key, token } of entries) {
    let common = 0
    while (common < previous.length && common < key.length && previous.charCodeAt(common) === key.charCodeAt(common)) common++
    for (const node of open.splice(common)) behind[node] = bytes.length
    for (let depth = common; depth < key.length; depth++) {
      open.push(bytes.length)
      bytes.push(key.charCodeAt(depth))
      depths.push(depth)
      behind.push(0)
      firstToken.push(tokens.length)
    }
    deepest = Math.max(deepest, key.length)
    tokens.push(token)
    previous = key
  }
  for (const node of open) behind[node] = bytes.length
  firstToken.push(tokens.length)
  return {
    bytes: Uint8Array.from(bytes),
    depths: Uint16Array.from(depths),
    behind: Int32Array.from(behind),
    firstToken: Int32Array.from(firstToken),
    tokens: Int32Array.from(tokens),
    deepest,
  }
}

/** A character for each byte, so that texts compare as their bytes do. */
function binaryText(bytes: Uint8Array): string {
  let result = ''
  for (const byte of bytes) result += String.fromCharCode(byte)
  return result
}
