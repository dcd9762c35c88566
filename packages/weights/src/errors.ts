import { ForetokenError } from '@foretoken/tensor'

/** A weight file contradicts itself or its format, or is of a format that is not read. */
export class WeightsFormatError extends ForetokenError {
  readonly code = 'weights-format'
}

/** The file is sound, but the encoding of a tensor is one that this package cannot read, or cannot turn into float32. */
export class UnsupportedEncodingError extends ForetokenError {
  readonly code = 'unsupported-encoding'
}

/** The store holds no tensor of the name that was asked for. */
export class MissingTensorError extends ForetokenError {
  readonly code = 'missing-tensor'
}

/** A server answered with something else than the bytes that were asked for. */
export class NetworkError extends ForetokenError {
  readonly code = 'network'
}

/** A file or folder could not be opened or read. */
export class FileError extends ForetokenError {
  readonly code = 'file'
}

/** Something was asked for that this runtime does not have, such as a file system in a browser. */
export class PlatformError extends ForetokenError {
  readonly code = 'platform'
}
