import { ForetokenError } from '@foretoken/tensor'

/** The package that would run graphs is not installed, or cannot be loaded on this machine. */
export class RuntimeMissingError extends ForetokenError {
  readonly code = 'runtime-missing'
}

/** What was asked for is not in this browser or machine: WebGPU, or wasm with vector instructions. */
export class UnsupportedDeviceError extends ForetokenError {
  readonly code = 'unsupported-device'
}

/** ONNX Runtime refused a graph or failed in the middle of a run; `found` carries its text. */
export class SessionError extends ForetokenError {
  readonly code = 'session'
}

/** The text of whatever was thrown. */
export function textOf(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).trim()
}
