/** The `truncation` field of a tokenizer file, for a single text. */
export interface Truncation {
  /** Including what the post-processor adds. */
  readonly maxLength: number
  readonly direction: 'left' | 'right'
}

/** The `padding` field of a tokenizer file, for a single text. */
export interface Padding {
  /** Undefined: no longer than the text, apart from `multipleOf`. */
  readonly length?: number
  readonly multipleOf?: number
  readonly direction: 'left' | 'right'
  readonly id: number
}

/** Cuts ids to what is left of the length when `addedCount` ids will be added. */
export function truncate(ids: number[], { maxLength, direction }: Truncation, addedCount: number): number[] {
  const room = Math.max(0, maxLength - addedCount)
  if (ids.length <= room) return ids
  return direction === 'right' ? ids.slice(0, room) : ids.slice(ids.length - room)
}

export function pad(ids: number[], { length, multipleOf, direction, id }: Padding): number[] {
  let wanted = Math.max(ids.length, length ?? 0)
  if (multipleOf !== undefined && multipleOf > 0) wanted = Math.ceil(wanted / multipleOf) * multipleOf
  const padding = new Array<number>(wanted - ids.length).fill(id)
  return direction === 'right' ? ids.concat(padding) : padding.concat(ids)
}
