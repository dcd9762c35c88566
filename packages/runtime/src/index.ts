// Choosing an ONNX Runtime.
export { loadRuntime, loadWasmRuntime } from '#platform'
// Errors.
export { RuntimeMissingError, SessionError, UnsupportedDeviceError } from './errors.ts'
export type { RuntimeOptions, WasmFiles } from './runtime-options.ts'
// Opening graphs and running them.
export type { DeviceInfo, ExternalData, GraphSource, Runtime, Session, SessionOptions, ValueInfo } from './session.ts'
