export interface RuntimeOptions {
  /**
   * What computes: the processor through the native library (Node, the default there), through wasm (the default in a page), or a GPU through
   * WebGPU (pages; operators that it lacks run in wasm).
   */
  readonly provider?: 'cpu' | 'wasm' | 'webgpu'
  /** Threads inside an operator. Default: one per physical core, at most 4 in wasm, 1 in a page that is not cross-origin isolated. */
  readonly threads?: number
  /** Where onnxruntime-web's files are, when they are not beside its script: below. Without effect on the native library. */
  readonly wasmFiles?: WasmFiles
}

/**
 * The folder with the `ort-wasm-*.wasm` files of the installed version, or the whole URLs. `loader` is the script that belongs to the wasm file,
 * which is only needed where onnxruntime-web's own script was loaded from another origin than the page: its threads then start from a `blob:` URL.
 */
export type WasmFiles = string | URL | { readonly wasm: string | URL; readonly loader?: string | URL }
