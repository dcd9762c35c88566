import { ArgumentError, DisposedError } from '@foretoken/tensor'
import { MissingTensorError } from '../errors.ts'
import { type ByteSource, disposeSources } from '../sources/byte-source.ts'
import type { MetadataValue, StoredTensor, TensorInfo, WeightStore } from '../weight-store.ts'

/** A tensor and the place of its bytes. */
export interface LocatedTensor {
  readonly info: TensorInfo
  readonly source: ByteSource
  /** First byte in the source. */
  readonly offset: number
}

/** What a format reader found, all checked: every tensor lies inside of its source. */
export interface OpenedFiles {
  readonly format: WeightStore['format']
  readonly sources: readonly ByteSource[]
  readonly located: ReadonlyMap<string, LocatedTensor>
  readonly metadata: ReadonlyMap<string, MetadataValue>
}

/** Open files behind the interface of a store. The store owns the sources: disposing of it closes them. */
export class OpenWeights implements WeightStore {
  readonly format: WeightStore['format']
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly metadata: ReadonlyMap<string, MetadataValue>
  readonly #located: ReadonlyMap<string, LocatedTensor>
  readonly #sources: readonly ByteSource[]
  #isDisposed = false

  constructor({ format, sources, located, metadata }: OpenedFiles) {
    const tensors = new Map<string, TensorInfo>()
    for (const [name, { info }] of located) tensors.set(name, info)
    this.format = format
    this.tensors = tensors
    this.metadata = metadata
    this.#located = located
    this.#sources = sources
  }

  async read(
    name: string,
    options: { readonly firstRow?: number; readonly rows?: number; readonly signal?: AbortSignal } = {},
  ): Promise<StoredTensor> {
    if (this.#isDisposed) throw new DisposedError({ tensor: name, found: 'a read after disposal', expected: 'a store that is open' })
    const located = this.#located.get(name)
    if (located === undefined) throw this.#missing(name)
    const { info, source, offset } = located
    const { firstRow, rows, signal } = options
    if (firstRow === undefined && rows === undefined) {
      return { info, shape: info.shape, bytes: await source.read(offset, info.byteLength, { signal }) }
    }
    const chosen = chooseRows(info, firstRow ?? 0, rows)
    const bytes = await source.read(offset + chosen.firstRow * chosen.rowBytes, chosen.rows * chosen.rowBytes, { signal })
    return { info, shape: [chosen.rows, ...info.shape.slice(1)], bytes }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await disposeSources(this.#sources)
  }

  #missing(name: string): MissingTensorError {
    const files = this.#sources.map((source) => source.name).join(', ')
    return new MissingTensorError({
      file: files,
      tensor: name,
      found: 'no tensor of this name',
      expected: `one of the ${this.#located.size} names in \`tensors\``,
    })
  }
}

function chooseRows(info: TensorInfo, firstRow: number, wantedRows: number | undefined) {
  const place = { file: info.file, tensor: info.name }
  const total = info.shape[0]
  if (total === undefined)
    throw new ArgumentError({ ...place, found: 'rows of a scalar', expected: 'a tensor with at least one dimension' })
  const rows = wantedRows ?? total - firstRow
  const isInside = Number.isSafeInteger(firstRow) && Number.isSafeInteger(rows) && firstRow >= 0 && rows >= 0 && firstRow + rows <= total
  if (!isInside) {
    throw new ArgumentError({
      ...place,
      found: `rows ${firstRow} to ${firstRow + rows}`,
      expected: `rows inside of the ${total} of the tensor`,
    })
  }
  const rowBytes = total === 0 ? 0 : info.byteLength / total
  if (!Number.isSafeInteger(rowBytes)) {
    throw new ArgumentError({ ...place, found: `rows that do not fill whole bytes in ${info.encoding}`, expected: 'the whole tensor' })
  }
  return { firstRow, rows, rowBytes }
}
