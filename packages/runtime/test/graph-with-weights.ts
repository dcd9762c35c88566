/** y = x + w in ONNX's form, written field by field, with w [elements] in a file beside the graph. */

type Part = readonly number[]

const varint = (value: number): Part => (value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))])
const whole = (field: number, value: number): Part => [...varint(field * 8), ...varint(value)]
const nested = (field: number, ...parts: readonly Part[]): Part => {
  const bytes = parts.flat()
  return [...varint(field * 8 + 2), ...varint(bytes.length), ...bytes]
}
const text = (field: number, value: string): Part => nested(field, [...new TextEncoder().encode(value)])
/** float32 [elements] */
const value = (field: number, name: string, elements: number): Part =>
  nested(field, text(1, name), nested(2, nested(1, whole(1, 1), nested(2, nested(1, whole(1, elements))))))

export function graphWithWeights(location: string, elements: number): Uint8Array {
  const entry = (key: string, content: string): Part => nested(13, text(1, key), text(2, content))
  const weights = nested(
    5,
    ...[whole(1, elements), whole(2, 1), text(8, 'w')],
    ...[entry('location', location), entry('offset', '0'), entry('length', String(4 * elements)), whole(14, 1)],
  )
  const node = nested(1, text(1, 'x'), text(1, 'w'), text(2, 'y'), text(4, 'Add'))
  const graph = nested(7, node, text(2, 'g'), weights, value(11, 'x', elements), value(12, 'y', elements))
  return Uint8Array.from([whole(1, 8), nested(8, whole(2, 17)), graph].flat())
}
