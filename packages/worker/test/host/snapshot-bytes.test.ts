import type { PrefixSnapshot } from '@foretoken/generation'
import { SnapshotError } from '@foretoken/worker'
import { expect, test } from 'vitest'
import { snapshotFromBytes, snapshotToBytes } from '../../src/host/snapshot-bytes.ts'

const MODEL = '{"name":"tiny"}'
const plain: PrefixSnapshot = {
  tokens: Int32Array.of(5, 6, 7),
  rows: {
    layers: [
      { kvHeads: 1, keyDim: 2, valueDim: 1 },
      { kvHeads: 0, keyDim: 0, valueDim: 0 },
    ],
    positions: Int32Array.of(0, 1, 2),
    rows: [
      { keys: Float32Array.of(1, 2, 3, 4, 5, 6), values: Float32Array.of(7, -0, Number.NaN) },
      { keys: new Float32Array(), values: new Float32Array() },
    ],
  },
}
const recurrent: PrefixSnapshot = {
  tokens: Int32Array.of(5),
  rows: {
    layers: [{ kvHeads: 0, keyDim: 0, valueDim: 0, recurrent: { inputWidth: 1, window: 0, stateSize: 2 } }],
    positions: Int32Array.of(0),
    rows: [{ keys: new Float32Array(), values: new Float32Array() }],
    recurrent: [{ state: Float32Array.of(1, 2), inputs: Float32Array.of(3), tail: 1 }],
  },
}

test.each([
  ['rows', plain],
  ['states', recurrent],
  ['nothing', { tokens: new Int32Array(), rows: { ...plain.rows, positions: new Int32Array(), rows: [] } }],
])('%s come back as they were', (name, snapshot) => {
  const whole = name === 'nothing' ? { ...snapshot, rows: { ...snapshot.rows, rows: plain.rows.layers.map(() => emptyRows()) } } : snapshot
  expect(snapshotFromBytes(snapshotToBytes(whole, MODEL), MODEL)).toEqual(whole)
})

test('bytes that end early are refused, wherever they end', () => {
  const bytes = snapshotToBytes(plain, MODEL)
  for (let length = 0; length < bytes.length; length++) {
    expect(() => snapshotFromBytes(bytes.slice(0, length), MODEL), `${length} bytes`).toThrow(SnapshotError)
  }
})

test.each([
  ['bytes behind the end', (bytes: Uint8Array<ArrayBuffer>) => Uint8Array.of(...bytes, ...new Uint8Array(8))],
  ['another kind of file', (bytes: Uint8Array<ArrayBuffer>) => changed(bytes, 0, 0x47)],
  ['a later version', (bytes: Uint8Array<ArrayBuffer>) => changed(bytes, 7, 2)],
  ['a head that is longer than the bytes', (bytes: Uint8Array<ArrayBuffer>) => changed(bytes, 10, 0xff)],
  ['a head that is no JSON', (bytes: Uint8Array<ArrayBuffer>) => changed(bytes, 12, 0x00)],
])('%s are refused', (_, change) => {
  expect(() => snapshotFromBytes(change(snapshotToBytes(plain, MODEL)), MODEL)).toThrow(SnapshotError)
})

test.each([
  ['a length that is no length', { arrays: [3, 3, -6, 3, 0, 0] }],
  ['a length beyond any file', { arrays: [3, 3, 2 ** 41, 3, 0, 0] }],
  ['fewer arrays than layers need', { arrays: [3, 3, 6] }],
  ['layers that are none', { layers: [1, 2] }],
  ['states for other layers', { tails: [1] }],
])('a head with %s is refused', (_, wrong) => {
  const head = { model: MODEL, layers: plain.rows.layers, tails: null, arrays: [3, 3, 6, 3, 0, 0], ...wrong }
  expect(() => snapshotFromBytes(withHead(head), MODEL)).toThrow(SnapshotError)
})

test('rows of another model are refused, and both are named', () => {
  expect(() => snapshotFromBytes(snapshotToBytes(plain, MODEL), '{"name":"other"}')).toThrow(/tiny.*other/)
})

function emptyRows() {
  return { keys: new Float32Array(), values: new Float32Array() }
}

function changed(bytes: Uint8Array<ArrayBuffer>, offset: number, value: number): Uint8Array<ArrayBuffer> {
  bytes[offset] = value
  return bytes
}

/** The form by hand: 'ftksnap', version 1, the head's length, the head, padding, and as many bytes as the arrays of `plain` take. */
function withHead(head: unknown): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(head))
  const start = Math.ceil((12 + text.length) / 8) * 8
  const bytes = new Uint8Array(start + 16 + 16 + 24 + 16)
  bytes.set(new TextEncoder().encode('ftksnap\x01'))
  new DataView(bytes.buffer).setUint32(8, text.length, true)
  bytes.set(text, 12)
  return bytes
}
