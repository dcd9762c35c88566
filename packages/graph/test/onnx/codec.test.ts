import { create, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMessage } from '../../src/onnx/decode.ts'
import { encodeMessage, joinParts } from '../../src/onnx/encode.ts'
import { type Field, fieldsOf, isMessageName, type MessageName } from '../../src/onnx/schema.ts'
import * as oracle from '../generated/onnx-ml_pb.js'

const descriptions: Readonly<Record<MessageName, DescMessage>> = {
  ModelProto: oracle.ModelProtoSchema,
  OperatorSetIdProto: oracle.OperatorSetIdProtoSchema,
  StringStringEntryProto: oracle.StringStringEntryProtoSchema,
  GraphProto: oracle.GraphProtoSchema,
  NodeProto: oracle.NodeProtoSchema,
  AttributeProto: oracle.AttributeProtoSchema,
  TensorProto: oracle.TensorProtoSchema,
  TensorSegment: oracle.TensorProto_SegmentSchema,
  SparseTensorProto: oracle.SparseTensorProtoSchema,
  ValueInfoProto: oracle.ValueInfoProtoSchema,
  TypeProto: oracle.TypeProtoSchema,
  TypeProtoTensor: oracle.TypeProto_TensorSchema,
  TypeProtoElement: oracle.TypeProto_SequenceSchema,
  TypeProtoMap: oracle.TypeProto_MapSchema,
  TypeProtoOpaque: oracle.TypeProto_OpaqueSchema,
  TensorShapeProto: oracle.TensorShapeProtoSchema,
  TensorShapeDimension: oracle.TensorShapeProto_DimensionSchema,
  TensorAnnotation: oracle.TensorAnnotationSchema,
  TrainingInfoProto: oracle.TrainingInfoProtoSchema,
  FunctionProto: oracle.FunctionProtoSchema,
  DeviceConfigurationProto: oracle.DeviceConfigurationProtoSchema,
  NodeDeviceConfigurationProto: oracle.NodeDeviceConfigurationProtoSchema,
  ShardingSpecProto: oracle.ShardingSpecProtoSchema,
  IntIntListEntryProto: oracle.IntIntListEntryProtoSchema,
  ShardedDimProto: oracle.ShardedDimProtoSchema,
  SimpleShardedDimProto: oracle.SimpleShardedDimProtoSchema,
}
const names = Object.keys(descriptions).filter((name) => isMessageName(name as MessageName)) as MessageName[]

function encoded(name: MessageName, message: object): Uint8Array {
  const { parts, byteLength } = encodeMessage(name, message)
  return joinParts(parts, byteLength)
}

const text = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('é', '日本', '😀', '\u{feff}x'))
const wide = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })).map(shortest)
const widePositive = fc.oneof(fc.nat(), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })).map(shortest)

function shortest(value: number | bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function scalarOf(message: MessageName, { kind, number }: Field): fc.Arbitrary<unknown> {
  // An unknown value of an enumeration counts as an unknown field in proto2, which protobuf-es writes elsewhere.
  const description = descriptions[message].fields.find((field) => field.number === number)
  if (description?.fieldKind === 'enum') return fc.constantFrom(...description.enum.values.map((value) => value.number))
  if (kind === 'int32') return fc.integer()
  if (kind === 'int64') return wide
  if (kind === 'uint64') return widePositive
  if (kind === 'float') return fc.float({ noNaN: true })
  if (kind === 'double') return fc.double({ noNaN: true })
  if (kind === 'string') return text
  return fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ minLength: 1024, maxLength: 1030 }))
}

/** Messages of the schema, down to a depth, with at most one of the fields that exclude each other. */
function messageOf(name: MessageName, depth: number): fc.Arbitrary<object> {
  const { list } = fieldsOf(name)
  const fields: Record<string, fc.Arbitrary<unknown>> = {}
  for (const field of list) {
    const { kind } = field
    if (isMessageName(kind) && depth === 0) {
      if (field.isRepeated) fields[field.name] = fc.constant([])
      continue
    }
    const value = isMessageName(kind) ? messageOf(kind, depth - 1) : scalarOf(name, field)
    fields[field.name] = field.isRepeated ? fc.array(value, { maxLength: 2 }) : fc.option(value, { nil: undefined })
  }
  const excluding = list.filter(({ isOneOf }) => isOneOf)
  return fc.tuple(fc.record(fields), fc.nat({ max: excluding.length })).map(([message, chosen]) => {
    const kept: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(message)) {
      const place = excluding.findIndex((field) => field.name === key)
      if (value !== undefined && (place < 0 || place === chosen)) kept[key] = value
    }
    return kept
  })
}

describe.each(names)('%s', (name) => {
  test('protobuf-es reads what we write and writes the same bytes', () => {
    fc.assert(
      fc.property(messageOf(name, 2), (message) => {
        const ours = encoded(name, message)
        const description = descriptions[name]
        expect(toBinary(description, fromBinary(description, ours))).toEqual(ours)
      }),
      { numRuns: 40 },
    )
  })

  test('what is written is read back as it was, and written again byte for byte', () => {
    fc.assert(
      fc.property(messageOf(name, 2), (message) => {
        const bytes = encoded(name, message)
        const decoded = decodeMessage(name, bytes)
        expect(decoded).toEqual(message)
        expect(encoded(name, decoded)).toEqual(bytes)
      }),
      { numRuns: 40 },
    )
  })
})

test('every field of the format is in the table, with its number, kind and packing', () => {
  for (const name of names) {
    const theirs = descriptions[name].fields.map((field) => ({
      number: field.number,
      isRepeated: field.fieldKind === 'list',
      isPacked: field.fieldKind === 'list' && field.packed,
      isOneOf: field.oneof !== undefined,
    }))
    const ours = fieldsOf(name).list.map(({ number, isRepeated, isPacked, isOneOf }) => ({ number, isRepeated, isPacked, isOneOf }))
    expect(ours, name).toEqual(theirs.sort((a, b) => a.number - b.number))
  }
})

test('numbers beyond 2^53 stay exact', () => {
  const bytes = toBinary(
    oracle.AttributeProtoSchema,
    create(oracle.AttributeProtoSchema, { i: 2n ** 63n - 1n, ints: [-(2n ** 63n), 2n ** 53n, -1n] }),
  )
  const attribute = decodeMessage('AttributeProto', bytes)
  expect(attribute).toMatchObject({ i: 2n ** 63n - 1n, ints: [-(2n ** 63n), 2n ** 53n, -1] })
  expect(encoded('AttributeProto', attribute)).toEqual(bytes)
})

test('repeated numbers are read one by one and packed, whatever the schema says', () => {
  const packedInts = Uint8Array.of(0x42, 3, 1, 2, 3)
  expect(decodeMessage('AttributeProto', packedInts)).toMatchObject({ ints: [1, 2, 3] })
  const singleFloats = Uint8Array.of(0x25, 0, 0, 0x80, 0x3f, 0x25, 0, 0, 0, 0x40)
  expect(decodeMessage('TensorProto', singleFloats)).toMatchObject({ floatData: [1, 2] })
})

test('fields that the table does not know are kept', () => {
  const bytes = Uint8Array.of(0x08, 10, 0xfa, 0x3e, 2, 7, 8)
  const model = decodeMessage('ModelProto', bytes)
  expect(model).toMatchObject({ irVersion: 10, unknownFields: [bytes.subarray(2)] })
  expect(encoded('ModelProto', model)).toEqual(bytes)
})

test('a message that comes in two pieces is one message, as protobuf has it', () => {
  const bytes = Uint8Array.of(0x3a, 3, 0x12, 1, 0x61, 0x3a, 4, 0x52, 2, 0x62, 0x63)
  expect(decodeMessage('ModelProto', bytes)).toMatchObject({ graph: { name: 'a', docString: 'bc' } })
  expect(fromBinary(oracle.ModelProtoSchema, bytes).graph).toMatchObject({ name: 'a', docString: 'bc' })
})

test('raw data are a view of the file and long bytes are written as the views they are', () => {
  const data = new Uint8Array(5000).fill(7)
  const { parts, byteLength } = encodeMessage('TensorProto', { name: 'w', rawData: data } as object)
  expect(parts.some((part) => part.buffer === data.buffer && part.length === 5000)).toBe(true)
  const bytes = joinParts(parts, byteLength)
  const tensor = decodeMessage('TensorProto', bytes) as { rawData: Uint8Array }
  expect(tensor.rawData.buffer).toBe(bytes.buffer)
  expect(tensor.rawData).toEqual(data)
})
