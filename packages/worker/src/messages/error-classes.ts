/** Which class belongs to which `code`: names of classes do not survive a minifier. */
import {
  CacheBusyError,
  ConstraintError,
  ContextLengthError,
  DraftError,
  LogitsError,
  ProcessorError,
  TokenizerMissingError,
} from '@foretoken/generation'
import { GraphDataError, GraphError, GraphSizeError, OnnxFormatError } from '@foretoken/graph'
import { CacheCapacityError, CacheStateError } from '@foretoken/kv-cache'
import { CheckpointError, ConfigError, StepError, UnsupportedArchitectureError } from '@foretoken/models'
import { RuntimeMissingError, SessionError, UnsupportedDeviceError } from '@foretoken/runtime'
import { ModelPairError, VocabularyError } from '@foretoken/speculative'
import { ArgumentError, DisposedError, DTypeError, ShapeError } from '@foretoken/tensor'
import {
  ChatTemplateError,
  PatternError,
  TokenizerFormatError,
  TokenizerInputError,
  UnsupportedTokenizerError,
} from '@foretoken/tokenizers'
import {
  FileError,
  MissingTensorError,
  NetworkError,
  PlatformError,
  UnsupportedEncodingError,
  WeightsFormatError,
} from '@foretoken/weights'
import { DiskFullError, DownloadHashError, DownloadSizeError, HubNetworkError, OfflineError, RepositoryError } from '@foretoken/weights/hub'
import { SnapshotError, UnsendableError, WorkerCrashedError, WorkerProtocolError } from '../errors.ts'

export interface ErrorClass {
  readonly name: string
  readonly prototype: object
}

export const errorClasses: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>([
  ['argument', ArgumentError],
  ['cache-busy', CacheBusyError],
  ['cache-capacity', CacheCapacityError],
  ['cache-state', CacheStateError],
  ['chat-template', ChatTemplateError],
  ['checkpoint', CheckpointError],
  ['constraint', ConstraintError],
  ['context-length', ContextLengthError],
  ['disk-full', DiskFullError],
  ['disposed', DisposedError],
  ['download-hash', DownloadHashError],
  ['download-size', DownloadSizeError],
  ['draft', DraftError],
  ['dtype', DTypeError],
  ['file', FileError],
  ['graph-data', GraphDataError],
  ['graph-size', GraphSizeError],
  ['graph-structure', GraphError],
  ['logits', LogitsError],
  ['missing-tensor', MissingTensorError],
  ['model-config', ConfigError],
  ['model-pair', ModelPairError],
  ['network', NetworkError],
  ['offline', OfflineError],
  ['onnx-format', OnnxFormatError],
  ['platform', PlatformError],
  ['processor', ProcessorError],
  ['repository', RepositoryError],
  ['runtime-missing', RuntimeMissingError],
  ['session', SessionError],
  ['shape', ShapeError],
  ['snapshot', SnapshotError],
  ['step', StepError],
  ['tokenizer-format', TokenizerFormatError],
  ['tokenizer-input', TokenizerInputError],
  ['tokenizer-missing', TokenizerMissingError],
  ['tokenizer-pattern', PatternError],
  ['tokenizer-unsupported', UnsupportedTokenizerError],
  ['unsendable', UnsendableError],
  ['unsupported-architecture', UnsupportedArchitectureError],
  ['unsupported-device', UnsupportedDeviceError],
  ['unsupported-encoding', UnsupportedEncodingError],
  ['vocabulary', VocabularyError],
  ['weights-format', WeightsFormatError],
  ['worker-crashed', WorkerCrashedError],
  ['worker-protocol', WorkerProtocolError],
])

/** Classes that share the code of their base: known by their name, where no minifier has changed it, and as their base elsewhere. */
export const subclasses: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>([[HubNetworkError.name, HubNetworkError]])
