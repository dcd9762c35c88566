/**
 * The messages of an ONNX file (onnx-ml.proto, up to IR version 14) as plain data. Field names are those of the format in camel
 * case. Singular fields that the file does not have are absent, repeated ones are empty lists. 64-bit integers are numbers
 * where those are exact, and bigints beyond 2^53.
 */

export type Integer = number | bigint

/** Bytes of fields that the table does not know, in the order in which they were found; written back at the end of the message. */
export interface Message {
  readonly unknownFields?: readonly Uint8Array[]
}

export interface ModelProto extends Message {
  readonly irVersion?: Integer
  readonly producerName?: string
  readonly producerVersion?: string
  readonly domain?: string
  readonly modelVersion?: Integer
  readonly docString?: string
  readonly graph?: GraphProto
  readonly opsetImport: readonly OperatorSetIdProto[]
  readonly metadataProps: readonly StringStringEntryProto[]
  readonly trainingInfo: readonly TrainingInfoProto[]
  readonly functions: readonly FunctionProto[]
  readonly configuration: readonly DeviceConfigurationProto[]
}

export interface OperatorSetIdProto extends Message {
  readonly domain?: string
  readonly version?: Integer
}

export interface StringStringEntryProto extends Message {
  readonly key?: string
  readonly value?: string
}

export interface GraphProto extends Message {
  readonly node: readonly NodeProto[]
  readonly name?: string
  readonly initializer: readonly TensorProto[]
  readonly docString?: string
  readonly input: readonly ValueInfoProto[]
  readonly output: readonly ValueInfoProto[]
  readonly valueInfo: readonly ValueInfoProto[]
  readonly quantizationAnnotation: readonly TensorAnnotation[]
  readonly sparseInitializer: readonly SparseTensorProto[]
  readonly metadataProps: readonly StringStringEntryProto[]
}

export interface NodeProto extends Message {
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly name?: string
  readonly opType?: string
  readonly attribute: readonly AttributeProto[]
  readonly docString?: string
  readonly domain?: string
  readonly overload?: string
  readonly metadataProps: readonly StringStringEntryProto[]
  readonly deviceConfigurations: readonly NodeDeviceConfigurationProto[]
}

export interface AttributeProto extends Message {
  readonly name?: string
  readonly f?: number
  readonly i?: Integer
  readonly s?: Uint8Array
  readonly t?: TensorProto
  readonly g?: GraphProto
  readonly floats: readonly number[]
  readonly ints: readonly Integer[]
  readonly strings: readonly Uint8Array[]
  readonly tensors: readonly TensorProto[]
  readonly graphs: readonly GraphProto[]
  readonly docString?: string
  readonly tp?: TypeProto
  readonly typeProtos: readonly TypeProto[]
  readonly type?: number
  readonly refAttrName?: string
  readonly sparseTensor?: SparseTensorProto
  readonly sparseTensors: readonly SparseTensorProto[]
}

export interface TensorProto extends Message {
  readonly dims: readonly Integer[]
  readonly dataType?: number
  readonly segment?: TensorSegment
  readonly floatData: readonly number[]
  readonly int32Data: readonly number[]
  readonly stringData: readonly Uint8Array[]
  readonly int64Data: readonly Integer[]
  readonly name?: string
  /** A view of the file's bytes when decoded. */
  readonly rawData?: Uint8Array
  readonly doubleData: readonly number[]
  readonly uint64Data: readonly Integer[]
  readonly docString?: string
  readonly externalData: readonly StringStringEntryProto[]
  readonly dataLocation?: number
  readonly metadataProps: readonly StringStringEntryProto[]
}

export interface TensorSegment extends Message {
  readonly begin?: Integer
  readonly end?: Integer
}

export interface SparseTensorProto extends Message {
  readonly values?: TensorProto
  readonly indices?: TensorProto
  readonly dims: readonly Integer[]
}

export interface ValueInfoProto extends Message {
  readonly name?: string
  readonly type?: TypeProto
  readonly docString?: string
  readonly metadataProps: readonly StringStringEntryProto[]
}

export interface TypeProto extends Message {
  readonly tensorType?: TypeProtoTensor
  readonly sequenceType?: TypeProtoElement
  readonly mapType?: TypeProtoMap
  readonly denotation?: string
  readonly opaqueType?: TypeProtoOpaque
  readonly sparseTensorType?: TypeProtoTensor
  readonly optionalType?: TypeProtoElement
}

export interface TypeProtoTensor extends Message {
  readonly elemType?: number
  readonly shape?: TensorShapeProto
}

export interface TypeProtoElement extends Message {
  readonly elemType?: TypeProto
}

export interface TypeProtoMap extends Message {
  readonly keyType?: number
  readonly valueType?: TypeProto
}

export interface TypeProtoOpaque extends Message {
  readonly domain?: string
  readonly name?: string
}

export interface TensorShapeProto extends Message {
  readonly dim: readonly TensorShapeDimension[]
}

export interface TensorShapeDimension extends Message {
  readonly dimValue?: Integer
  readonly dimParam?: string
  readonly denotation?: string
}

export interface TensorAnnotation extends Message {
  readonly tensorName?: string
  readonly quantParameterTensorNames: readonly StringStringEntryProto[]
}

export interface TrainingInfoProto extends Message {
  readonly initialization?: GraphProto
  readonly algorithm?: GraphProto
  readonly initializationBinding: readonly StringStringEntryProto[]
  readonly updateBinding: readonly StringStringEntryProto[]
}

export interface FunctionProto extends Message {
  readonly name?: string
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly attribute: readonly string[]
  readonly node: readonly NodeProto[]
  readonly docString?: string
  readonly opsetImport: readonly OperatorSetIdProto[]
  readonly domain?: string
  readonly attributeProto: readonly AttributeProto[]
  readonly valueInfo: readonly ValueInfoProto[]
  readonly overload?: string
  readonly metadataProps: readonly StringStringEntryProto[]
}

export interface DeviceConfigurationProto extends Message {
  readonly name?: string
  readonly numDevices?: number
  readonly device: readonly string[]
}

export interface NodeDeviceConfigurationProto extends Message {
  readonly configurationId?: string
  readonly shardingSpec: readonly ShardingSpecProto[]
  readonly pipelineStage?: number
}

export interface ShardingSpecProto extends Message {
  readonly tensorName?: string
  readonly device: readonly Integer[]
  readonly indexToDeviceGroupMap: readonly IntIntListEntryProto[]
  readonly shardedDim: readonly ShardedDimProto[]
}

export interface IntIntListEntryProto extends Message {
  readonly key?: Integer
  readonly value: readonly Integer[]
}

export interface ShardedDimProto extends Message {
  readonly axis?: Integer
  readonly simpleSharding: readonly SimpleShardedDimProto[]
}

export interface SimpleShardedDimProto extends Message {
  readonly dimValue?: Integer
  readonly dimParam?: string
  readonly numShards?: Integer
}
