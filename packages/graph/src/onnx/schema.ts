/**
 * The fields of every message of onnx-ml.proto: number, name, kind. After the kind, `*` is repeated, `#` repeated and
 * packed, `|` one of several of which a message holds one. The codec knows nothing else of the format.
 */

export type ScalarKind = 'int32' | 'int64' | 'uint64' | 'float' | 'double' | 'string' | 'bytes'

export interface Field {
  readonly number: number
  readonly name: string
  /** A scalar, or the message that the field holds. */
  readonly kind: ScalarKind | MessageName
  readonly isRepeated: boolean
  readonly isPacked: boolean
  readonly isOneOf: boolean
}

const TABLE = {
  ModelProto: `1 irVersion int64, 2 producerName string, 3 producerVersion string, 4 domain string, 5 modelVersion int64,
    6 docString string, 7 graph GraphProto, 8 opsetImport OperatorSetIdProto*, 14 metadataProps StringStringEntryProto*,
    20 trainingInfo TrainingInfoProto*, 25 functions FunctionProto*, 26 configuration DeviceConfigurationProto*`,
  OperatorSetIdProto: '1 domain string, 2 version int64',
  StringStringEntryProto: '1 key string, 2 value string',
  GraphProto: `1 node NodeProto*, 2 name string, 5 initializer TensorProto*, 10 docString string, 11 input ValueInfoProto*,
    12 output ValueInfoProto*, 13 valueInfo ValueInfoProto*, 14 quantizationAnnotation TensorAnnotation*,
    15 sparseInitializer SparseTensorProto*, 16 metadataProps StringStringEntryProto*`,
  NodeProto: `1 input string*, 2 output string*, 3 name string, 4 opType string, 5 attribute AttributeProto*, 6 docString string,
    7 domain string, 8 overload string, 9 metadataProps StringStringEntryProto*, 10 deviceConfigurations NodeDeviceConfigurationProto*`,
  AttributeProto: `1 name string, 2 f float, 3 i int64, 4 s bytes, 5 t TensorProto, 6 g GraphProto, 7 floats float*, 8 ints int64*,
    9 strings bytes*, 10 tensors TensorProto*, 11 graphs GraphProto*, 13 docString string, 14 tp TypeProto, 15 typeProtos TypeProto*,
    20 type int32, 21 refAttrName string, 22 sparseTensor SparseTensorProto, 23 sparseTensors SparseTensorProto*`,
  TensorProto: `1 dims int64*, 2 dataType int32, 3 segment TensorSegment, 4 floatData float#, 5 int32Data int32#, 6 stringData bytes*,
    7 int64Data int64#, 8 name string, 9 rawData bytes, 10 doubleData double#, 11 uint64Data uint64#, 12 docString string,
    13 externalData StringStringEntryProto*, 14 dataLocation int32, 16 metadataProps StringStringEntryProto*`,
  TensorSegment: '1 begin int64, 2 end int64',
  SparseTensorProto: '1 values TensorProto, 2 indices TensorProto, 3 dims int64*',
  ValueInfoProto: '1 name string, 2 type TypeProto, 3 docString string, 4 metadataProps StringStringEntryProto*',
  TypeProto: `1 tensorType TypeProtoTensor|, 4 sequenceType TypeProtoElement|, 5 mapType TypeProtoMap|, 6 denotation string,
    7 opaqueType TypeProtoOpaque|, 8 sparseTensorType TypeProtoTensor|, 9 optionalType TypeProtoElement|`,
  TypeProtoTensor: '1 elemType int32, 2 shape TensorShapeProto',
  TypeProtoElement: '1 elemType TypeProto',
  TypeProtoMap: '1 keyType int32, 2 valueType TypeProto',
  TypeProtoOpaque: '1 domain string, 2 name string',
  TensorShapeProto: '1 dim TensorShapeDimension*',
  TensorShapeDimension: '1 dimValue int64|, 2 dimParam string|, 3 denotation string',
  TensorAnnotation: '1 tensorName string, 2 quantParameterTensorNames StringStringEntryProto*',
  TrainingInfoProto: `1 initialization GraphProto, 2 algorithm GraphProto, 3 initializationBinding StringStringEntryProto*,
    4 updateBinding StringStringEntryProto*`,
  FunctionProto: `1 name string, 4 input string*, 5 output string*, 6 attribute string*, 7 node NodeProto*, 8 docString string,
    9 opsetImport OperatorSetIdProto*, 10 domain string, 11 attributeProto AttributeProto*, 12 valueInfo ValueInfoProto*,
    13 overload string, 14 metadataProps StringStringEntryProto*`,
  DeviceConfigurationProto: '1 name string, 2 numDevices int32, 3 device string*',
  NodeDeviceConfigurationProto: '1 configurationId string, 2 shardingSpec ShardingSpecProto*, 3 pipelineStage int32',
  ShardingSpecProto: '1 tensorName string, 2 device int64*, 3 indexToDeviceGroupMap IntIntListEntryProto*, 4 shardedDim ShardedDimProto*',
  IntIntListEntryProto: '1 key int64, 2 value int64*',
  ShardedDimProto: '1 axis int64, 2 simpleSharding SimpleShardedDimProto*',
  SimpleShardedDimProto: '1 dimValue int64|, 2 dimParam string|, 3 numShards int64',
} as const

export type MessageName = keyof typeof TABLE

export interface MessageFields {
  /** Ascending by number, the order in which they are written. */
  readonly list: readonly Field[]
  readonly byNumber: ReadonlyMap<number, Field>
}

const parsed = new Map<MessageName, MessageFields>()

export function fieldsOf(message: MessageName): MessageFields {
  const known = parsed.get(message)
  if (known !== undefined) return known
  const list = TABLE[message].split(',').map(parseField)
  const fields = { list, byNumber: new Map(list.map((field) => [field.number, field])) }
  parsed.set(message, fields)
  return fields
}

export function isMessageName(kind: ScalarKind | MessageName): kind is MessageName {
  return kind in TABLE
}

function parseField(row: string): Field {
  const [number = '', name = '', marked = ''] = row.trim().split(' ')
  const kind = marked.replace(/[*#|]$/, '')
  if (!isKind(kind)) throw new TypeError(`unknown kind ${kind}`)
  return {
    number: Number(number),
    name,
    kind,
    isRepeated: /[*#]$/.test(marked),
    isPacked: marked.endsWith('#'),
    isOneOf: marked.endsWith('|'),
  }
}

const SCALARS: readonly string[] = ['int32', 'int64', 'uint64', 'float', 'double', 'string', 'bytes']

function isKind(kind: string): kind is ScalarKind | MessageName {
  return kind in TABLE || SCALARS.includes(kind)
}
