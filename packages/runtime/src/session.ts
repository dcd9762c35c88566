import type { Tensor } from '@foretoken/tensor'

/** Where the bytes of a graph come from. Weights may lie outside of the graph, as ONNX external data. */
export type GraphSource =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly externalData?: readonly ExternalData[] }
  /** A file; external data is found beside it by the locations that the graph names. Node only. */
  | { readonly kind: 'file'; readonly path: string }

export interface ExternalData {
  /** The `location` that the graph's tensors name. */
  readonly path: string
  readonly data: Uint8Array
}

export interface SessionOptions {
  /** What errors call the graph; the path of a file, or 'graph', when absent. */
  readonly name?: string
  /** Threads inside an operator; `runtime.device.threads` when absent. onnxruntime-web takes no other number. */
  readonly threads?: number
  /** How far ONNX Runtime may rewrite the graph. Default 'all'. */
  readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'layout' | 'all'
  /** Whether independent operators run one after another. Default 'sequential'. */
  readonly executionMode?: 'sequential' | 'parallel'
  /**
   * Whether the native library keeps freed buffers for later runs. Default false: buffers of long prompts would stay, in regions of doubled
   * sizes. SmolLM2-135M after a prompt of 512 tokens: 490 to 500 MB at most with it, 405 to 415 without, and no difference in time was seen
   * in steps of 1 and 128 rows at 16 to 2,048 tokens of context (processor time within 2 %).
   */
  readonly keepsBuffers?: boolean
  readonly signal?: AbortSignal
  /** Options of ONNX Runtime passed through as they are, e.g. `{ 'session.intra_op.allow_spinning': '0' }`. */
  readonly config?: Readonly<Record<string, string>>
}

export interface ValueInfo {
  readonly name: string
  readonly type: Tensor['type']
  /** A string is a symbolic dimension. */
  readonly dims: readonly (number | string)[]
}

/** An open graph. Runs are queued: a second call waits for the first. */
export interface Session extends AsyncDisposable {
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  /**
   * Runs the graph once.
   *
   * @param feeds    one tensor for every input; their data is read in place and must not change during the call
   * @param fetches  names of the outputs to return; outputs that are not named are not copied
   * @param signal   an abort before the run starts rejects with the signal's reason; a run under way is finished first
   */
  run(
    feeds: ReadonlyMap<string, Tensor>,
    fetches: readonly string[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<ReadonlyMap<string, Tensor>>
}

/** One installed ONNX Runtime. */
export interface Runtime {
  readonly name: 'onnxruntime-node' | 'onnxruntime-web'
  readonly version: string
  /** What it runs on and with how many threads, and the reason where that is less than one would expect. */
  readonly device: DeviceInfo
  open(source: GraphSource, options?: SessionOptions): Promise<Session>
}

export interface DeviceInfo {
  readonly provider: 'cpu' | 'wasm' | 'webgpu'
  readonly threads: number
  readonly notes: readonly string[]
}
