/**
 * A conversation as bytes:
 *
 *     'ftksnap' and the version (8 bytes) | length of the head (uint32) | head: JSON | padding to 8 | arrays, one after the other, each padded to 8
 *
 * The head says which model the rows are of and how long each array is. Everything is little-endian. Reading checks every length against the real
 * one before an array is made.
 */
import type { PrefixSnapshot } from '@foretoken/generation'
import type { KvSnapshot, LayerRows, LayerShape, RecurrentView } from '@foretoken/kv-cache'
import type { CausalLM } from '@foretoken/models'
import { SnapshotError } from '../errors.ts'

const MAGIC = 'ftksnap'
const VERSION = 1
const LENGTH_BYTES = 4
const HEAD_AT = MAGIC.length + 1 + LENGTH_BYTES
const ALIGNMENT = 8
const MOST_HEAD_BYTES = 2 ** 24

/** What rows depend on: those of other weights, or of weights in another format, are other rows. */
export function modelKey({ config, plan }: CausalLM): string {
  return JSON.stringify({ config, formats: Object.entries(plan.formats).sort() })
}

interface Head {
  readonly model: string
  readonly layers: readonly LayerShape[]
  readonly storage?: KvSnapshot['storage']
  readonly tails: readonly (number | null)[] | null
  /** Lengths in elements. */
  readonly arrays: readonly number[]
}

export function snapshotToBytes({ tokens, rows }: PrefixSnapshot, model: string): Uint8Array<ArrayBuffer> {
  const { layers, storage, positions, recurrent } = rows
  const arrays: (Int32Array | Float32Array)[] = [tokens, positions, ...rows.rows.flatMap(({ keys, values }) => [keys, values])]
  for (const view of recurrent ?? []) if (view !== undefined) arrays.push(view.state, view.inputs)
  const head: Head = {
    model,
    layers,
    ...(storage === undefined ? {} : { storage }),
    tails: recurrent?.map((view) => view?.tail ?? null) ?? null,
    arrays: arrays.map(({ length }) => length),
  }
  const headBytes = new TextEncoder().encode(JSON.stringify(head))
  const total = arrays.reduce((sum, { byteLength }) => sum + padded(byteLength), padded(HEAD_AT + headBytes.byteLength))
  const bytes = new Uint8Array(total)
  bytes.set(new TextEncoder().encode(MAGIC))
  bytes[MAGIC.length] = VERSION
  new DataView(bytes.buffer).setUint32(MAGIC.length + 1, headBytes.byteLength, true)
  bytes.set(headBytes, HEAD_AT)
  let offset = padded(HEAD_AT + headBytes.byteLength)
  for (const { buffer, byteOffset, byteLength } of arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), offset)
    offset += padded(byteLength)
  }
  return bytes
}

/** @throws {SnapshotError} for bytes that are no snapshot, are cut off, or are of another model */
export function snapshotFromBytes(bytes: Uint8Array<ArrayBuffer>, model: string): PrefixSnapshot {
  const head = readHead(bytes)
  if (head.model !== model) throw refusal(`rows of another model, ${head.model}`, `those of this one, ${model}`)
  const arrays = new ArrayReader(bytes, padded(HEAD_AT + headLength(bytes)), head.arrays)
  const tokens = arrays.integers()
  const positions = arrays.integers()
  const rows: LayerRows[] = head.layers.map(() => ({ keys: arrays.floats(), values: arrays.floats() }))
  const recurrent = head.tails?.map((tail): RecurrentView | undefined =>
    tail === null ? undefined : { tail, state: arrays.floats(), inputs: arrays.floats() },
  )
  arrays.end()
  const { layers, storage } = head
  const held = { layers, ...(storage === undefined ? {} : { storage }), ...(recurrent === undefined ? {} : { recurrent }) }
  return { tokens, rows: { ...held, positions, rows } }
}

class ArrayReader {
  readonly #bytes: Uint8Array<ArrayBuffer>
  readonly #lengths: readonly number[]
  #offset: number
  #next = 0

  constructor(bytes: Uint8Array<ArrayBuffer>, offset: number, lengths: readonly number[]) {
    this.#bytes = bytes
    this.#offset = offset
    this.#lengths = lengths
  }

  integers(): Int32Array {
    return new Int32Array(this.#take())
  }

  floats(): Float32Array {
    return new Float32Array(this.#take())
  }

  end(): void {
    if (this.#next !== this.#lengths.length) throw refusal(`${this.#lengths.length} arrays`, `${this.#next}`)
    if (this.#offset !== this.#bytes.byteLength) throw refusal(`${this.#bytes.byteLength} bytes`, `${this.#offset}`)
  }

  #take(): ArrayBuffer {
    const length = this.#lengths[this.#next++]
    if (length === undefined) throw refusal(`${this.#lengths.length} arrays`, 'one for each part')
    const from = this.#offset
    const to = from + 4 * length
    if (to > this.#bytes.byteLength) throw refusal(`${this.#bytes.byteLength} bytes`, `at least ${to}`)
    this.#offset = from + padded(4 * length)
    return this.#bytes.slice(from, to).buffer
  }
}

function headLength(bytes: Uint8Array<ArrayBuffer>): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(MAGIC.length + 1, true)
}

function readHead(bytes: Uint8Array<ArrayBuffer>): Head {
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length))
  if (bytes.byteLength < HEAD_AT || magic !== MAGIC)
    throw refusal(`${bytes.byteLength} bytes of something else`, 'the snapshot of a conversation')
  if (bytes[MAGIC.length] !== VERSION) throw refusal(`version ${bytes[MAGIC.length]}`, `version ${VERSION}`)
  const length = headLength(bytes)
  if (length > MOST_HEAD_BYTES || HEAD_AT + length > bytes.byteLength) throw refusal(`a head of ${length} bytes`, 'one that the bytes hold')
  const head = parse(new TextDecoder().decode(bytes.subarray(HEAD_AT, HEAD_AT + length)))
  if (!isHead(head)) throw refusal('a head that says something else', 'a model, layers and lengths')
  return head
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw refusal('a head that is no JSON', 'a model, layers and lengths', cause)
  }
}

function isHead(value: unknown): value is Head {
  if (typeof value !== 'object' || value === null) return false
  const { model, layers, tails, arrays }: { model?: unknown; layers?: unknown; tails?: unknown; arrays?: unknown } = value
  if (typeof model !== 'string' || !Array.isArray(layers) || !Array.isArray(arrays) || !arrays.every(isLength)) return false
  if (tails !== null && !(Array.isArray(tails) && tails.length === layers.length && tails.every((tail) => tail === null || isLength(tail))))
    return false
  return layers.every(isShape)
}

/** What the shapes say is compared with the model's by whoever restores the rows. */
function isShape(value: unknown): value is LayerShape {
  if (typeof value !== 'object' || value === null) return false
  const { kvHeads, keyDim, valueDim, recurrent }: { kvHeads?: unknown; keyDim?: unknown; valueDim?: unknown; recurrent?: unknown } = value
  return [kvHeads, keyDim, valueDim].every(isLength) && (recurrent === undefined || (typeof recurrent === 'object' && recurrent !== null))
}

function isLength(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 40
}

function padded(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}

function refusal(found: string, expected: string, cause?: unknown): SnapshotError {
  return new SnapshotError({ field: 'snapshot', found, expected }, cause === undefined ? undefined : { cause })
}
