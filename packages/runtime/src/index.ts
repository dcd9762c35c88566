// Opening graphs and running them.
export type { DeviceInfo, ExternalData, GraphSource, Runtime, Session, SessionOptions, ValueInfo } from './session.ts'
