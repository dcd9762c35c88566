import { decodeModel, encodeModel, Graph, matMul, OnnxFormatError, readModelSummary } from '@foretoken/graph'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeMessage, joinParts } from '../../src/onnx/encode.ts'

/** A field of bytes with a tag and a length. */
function field(number: number, ...contents: readonly (number | Uint8Array)[]): Uint8Array {
  const length = contents.reduce<number>((sum, part) => sum + (typeof part === 'number' ? 1 : part.length), 0)
  const head = [(number << 3) | 2, ...varint(length)]
  const bytes = new Uint8Array(head.length + length)
  bytes.set(head)
  let at = head.length
  for (const part of contents) {
    bytes.set(typeof part === 'number' ? [part] : part, at)
    at += typeof part === 'number' ? 1 : part.length
  }
  return bytes
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))]
}

function tensorAt(location: string, extra: readonly { key: string; value: string }[] = []): Uint8Array {
  const initializer = [
    { name: 'w', dims: [1], dataType: 1, dataLocation: 1, externalData: [{ key: 'location', value: location }, ...extra] },
  ]
  const { parts, byteLength } = encodeMessage('ModelProto', { graph: { initializer } } as object)
  return joinParts(parts, byteLength)
}

function smallModel(): Uint8Array {
  const graph = new Graph({ name: 'small' })
  const x = graph.input('x', 'float32', ['n', 2])
  graph.output('y', matMul(x, graph.initializer('w', 'float32', [2, 2], new Float32Array([1, 2, 3, 4]))))
  return encodeModel(graph).bytes()
}

test.each([
  ['a length beyond the end', Uint8Array.of(0x3a, 100, 1), 'a length of 100 bytes'],
  ['a length of 2^63', Uint8Array.of(0x3a, 255, 255, 255, 255, 255, 255, 255, 255, 127), 'a length of 9223372036854775807 bytes'],
  ['a number of more than 10 bytes', Uint8Array.of(0x08, ...new Array<number>(11).fill(255)), 'more than 10 bytes'],
  ['a number that is cut off', Uint8Array.of(0x08, 128), 'the end of the message'],
  ['field number 0', Uint8Array.of(0x02, 0), 'field number 0'],
  ['a group, which protobuf gave up', Uint8Array.of(0x0b), 'wire type 3'],
  ['wire type 7', Uint8Array.of(0x0f), 'wire type 7'],
  ['a float that is cut off', field(7, field(1, field(5, 0x15, 0, 0))), 'found 2 bytes'],
  ['a name that is no UTF-8', field(7, field(2, 0xff, 0xfe)), 'no UTF-8'],
])('%s is refused', (_, bytes, message) => {
  expect(() => decodeModel(bytes)).toThrow(OnnxFormatError)
  expect(() => decodeModel(bytes)).toThrow(message)
})

test('nesting of 10,000 messages is refused before the stack is', () => {
  let bytes: Uint8Array = new Uint8Array()
  for (let depth = 0; depth < 10_000; depth += 3) bytes = field(5, field(6, field(1, bytes)))
  expect(() => decodeModel(field(7, field(1, bytes)))).toThrow('deeper nesting')
})

test('a file of nothing but empty messages is refused at a limit', () => {
  const nodes = new Uint8Array(2_000_010)
  for (let at = 0; at < nodes.length; at += 2) nodes[at] = 0x0a
  expect(() => decodeModel(field(7, nodes))).toThrow('at most 1000000')
})

test.each([
  '/etc/passwd',
  '../weights.bin',
  'data/../../weights.bin',
  'C:weights.bin',
  'C:\\weights.bin',
  '\\\\host\\share',
  '..\\weights.bin',
  'file:///etc/passwd',
  'weights.bin\0.txt',
  '',
])('external data at %j are refused', (location) => {
  expect(() => decodeModel(tensorAt(location))).toThrow(/w, location: found .* expected a relative path inside of the folder of the model/)
})

test('a location that is given twice, or an unknown key, is refused', () => {
  expect(() => decodeModel(tensorAt('a.bin', [{ key: 'location', value: 'b.bin' }]))).toThrow("the key 'location' twice")
  expect(() => decodeModel(tensorAt('a.bin', [{ key: '__class__', value: 'x' }]))).toThrow("the key '__class__'")
  expect(() => decodeModel(tensorAt('a.bin', [{ key: 'offset', value: '-1' }]))).toThrow('a number of bytes')
})

test('a model that is cut at any byte is refused or read, never anything else', () => {
  const bytes = smallModel()
  for (let length = 0; length < bytes.length; length++) {
    try {
      readModelSummary(bytes.subarray(0, length))
    } catch (error) {
      expect(error).toBeInstanceOf(OnnxFormatError)
    }
  }
})

test('bytes changed at random are refused or read, never anything else', () => {
  const original = smallModel()
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: original.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }),
      (changes) => {
        const bytes = original.slice()
        for (const [at, value] of changes) bytes[at] = value
        try {
          readModelSummary(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(OnnxFormatError)
        }
      },
    ),
    { numRuns: 500 },
  )
})
