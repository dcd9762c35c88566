/** A trie over UTF-16 code units. Nodes are numbers; one `Map` from (node, code unit) holds all edges. */
export interface PieceTrie {
  readonly root: number
  add(piece: string, id: number): void
  /** The child by a code unit, or -1. */
  child(node: number, codeUnit: number): number
  /** The id of the piece that ends at a node, or -1. */
  idAt(node: number): number
}

export function makePieceTrie(): PieceTrie {
  const children = new Map<number, number>()
  const ids: number[] = [-1]
  // A node and a code unit make one key; nodes stay far below 2^36.
  const child = (node: number, codeUnit: number) => children.get(node * 0x10000 + codeUnit) ?? -1
  return {
    root: 0,
    child,
    idAt: (node) => ids[node] ?? -1,
    add(piece, id) {
      let node = 0
      for (let i = 0; i < piece.length; i++) {
        const codeUnit = piece.charCodeAt(i)
        let below = child(node, codeUnit)
        if (below < 0) {
          below = ids.push(-1) - 1
          children.set(node * 0x10000 + codeUnit, below)
        }
        node = below
      }
      ids[node] = id
    },
  }
}
