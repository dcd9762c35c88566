import { ForetokenError } from '@foretoken/tensor'

/**
 * A graph that cannot be built as asked: a name that is taken, a value of another graph, an operator that the opset lacks.
 * Wrong shapes and element types are `ShapeError` and `DTypeError` of `@foretoken/tensor`.
 */
export class GraphError extends ForetokenError {
  readonly code = 'graph-structure'
}

/** The bytes of an initialiser are missing, or are not as many as its dimensions say. */
export class GraphDataError extends ForetokenError {
  readonly code = 'graph-data'
}

/** A model that does not fit into one protobuf message. */
export class GraphSizeError extends ForetokenError {
  readonly code = 'graph-size'
}

/** Bytes that are not a well-formed ONNX file, or one that asks for something we refuse. */
export class OnnxFormatError extends ForetokenError {
  readonly code = 'onnx-format'
}
