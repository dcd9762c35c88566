export interface RuntimeOptions {
  /** Threads inside an operator. Default: one per physical core, at most 4 in wasm, 1 in a page that is not cross-origin isolated. */
  readonly threads?: number
}
