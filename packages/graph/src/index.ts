// Building a graph: values go in, values come out.
export { Graph, type GraphOptions, type NodeSpec, type OutputSpec } from './graph.ts'
export type { Value } from './value.ts'
export type { NodeOptions, Operand } from './operator.ts'
export type { Attribute, Block, DataGroup, DeferredData, Domain, GraphNode, Initializer, InitializerData } from './node.ts'
export { isDeferred } from './node.ts'
// Dimensions that may be symbols.
export {
  addDims,
  canonicalDim,
  type Dim,
  divideDims,
  evaluateDim,
  multiplyDims,
  sameDim,
  sameDims,
  showDims,
  subtractDims,
  symbolsOf,
} from './dimension.ts'
// Linear layers and embeddings in packed formats.
export { linear, type LinearOptions, type LinearWeight } from './linear.ts'
export { embedding, type EmbeddingTable } from './embedding.ts'
export { type QuantizedRows, quantizeRows } from './row-quantization.ts'
export { rotateRows, rotateRowsBack } from './rotation.ts'
// Operators: each element by itself.
export {
  absolute,
  add,
  and,
  biasGelu,
  type BinaryOperator,
  cast,
  ceil,
  clip,
  cosine,
  divide,
  equal,
  erf,
  exponential,
  fastGelu,
  floor,
  gelu,
  greater,
  greaterOrEqual,
  identity,
  isNotANumber,
  less,
  lessOrEqual,
  logarithm,
  maximum,
  minimum,
  mod,
  multiply,
  negate,
  not,
  or,
  power,
  quickGelu,
  reciprocal,
  relu,
  round,
  scalar,
  sigmoid,
  sign,
  sine,
  softplus,
  squareRoot,
  subtract,
  tanh,
  type UnaryOperator,
  type VariadicOperator,
  where,
} from './operators/elementwise.ts'
// Operators: products.
export { einsum, fusedMatMul, type FusedMatMulOptions, gemm, type GemmOptions, matMul } from './operators/product.ts'
// Operators: along axes.
export {
  argMax,
  cumSum,
  logSoftmax,
  reduceL2,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProduct,
  reduceSum,
  type Reduction,
  type ReductionOptions,
  softmax,
  topK,
} from './operators/reduction.ts'
// Operators: dimensions.
export {
  assumeDims,
  constantOfShape,
  expand,
  range,
  reshape,
  reshapeTo,
  shapeOf,
  shapeVector,
  squeeze,
  tile,
  transpose,
  unsqueeze,
} from './operators/shape.ts'
// Operators: joining, cutting, reading and writing at positions.
export { concat, pad, resize, slice, type SliceRange, split, trilu } from './operators/joining.ts'
export {
  gather,
  gatherElements,
  gatherNd,
  nonZero,
  oneHot,
  scatterElements,
  scatterNd,
  type ScatterReduction,
} from './operators/gathering.ts'
// Operators: normalisation, rotation, attention, experts.
export {
  groupNormalization,
  layerNormalization,
  type NormalizationOptions,
  rmsNormalization,
  skipLayerNormalization,
  skipRmsNormalization,
} from './operators/normalization.ts'
export { rotaryEmbedding, type RotaryOptions } from './operators/rotary.ts'
export {
  type GroupQueryAttentionInputs,
  type GroupQueryAttentionOptions,
  groupQueryAttention,
  type MultiHeadAttentionOptions,
  multiHeadAttention,
} from './operators/attention.ts'
export { type ExpertWeights, type MixtureOptions, mixtureOfExperts } from './operators/mixture-of-experts.ts'
// Operators: convolution and pooling.
export {
  averagePool,
  type ConvolutionOptions,
  convolution,
  convolutionTranspose,
  globalAveragePool,
  type WindowOptions,
} from './operators/convolution.ts'
// Branches and loops.
export { branch, type LoopOptions, type LoopResult, type LoopRound, loop, scan } from './operators/control-flow.ts'
// Operators: quantised tensors.
export {
  type BlockProductOptions,
  dequantizeLinear,
  dynamicQuantizeLinear,
  dynamicQuantizeMatMul,
  gatherBlockQuantized,
  matMulInteger,
  matMulIntegerToFloat,
  matMulNBits,
  type QuantizationOptions,
  quantizeLinear,
} from './operators/quantization.ts'
// ONNX files.
export { type EncodedModel, encodeModel, type EncodeOptions, type ExternalTensor } from './onnx/model.ts'
export { encodeModelInline, type ExternalChunk, externalChunks } from './onnx/external-data.ts'
export { decodeModel, tensorsOf } from './onnx/decode.ts'
export { type ModelSummary, readModelSummary, summarizeModel, type TensorSummary, type ValueSummary } from './onnx/summary.ts'
export type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto } from './onnx/messages.ts'
// Errors.
export { GraphDataError, GraphError, GraphSizeError, OnnxFormatError } from './errors.ts'
