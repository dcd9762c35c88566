/** What a model is loaded from, in forms that reach a worker. */

/**
 * - a string: as `loadCausalLM` takes it (a folder, a `.gguf` or `.onnx` file, a repository of the hub), or the `https:` address of a `.gguf` file;
 * - a `URL`: `file:` is a path, `http:` and `https:` the address of a `.gguf` file, read in ranges;
 * - a `Blob` or `File`: a GGUF file, read piece by piece inside the worker and never whole;
 * - bytes: a GGUF file in memory. They move to the worker when they fill their buffer, and the caller's array is then empty;
 * - several files, by name: what a folder of Hugging Face holds (`config.json`, `model.safetensors` or its shards and index, the tokenizer's files,
 *   or an exported graph), or the parts of a split GGUF. A folder that all of them lie in is left out of their names.
 */
export type ModelSource =
  | string
  | URL
  | Blob
  | Uint8Array<ArrayBuffer>
  | readonly File[]
  | ReadonlyMap<string, Blob | Uint8Array<ArrayBuffer>>
