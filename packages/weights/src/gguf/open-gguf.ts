/**
 * GGUF files as a store. A model that was split has `split.no`, `split.count` and `split.tensors.count` in every part; all parts are opened together, in
 * their order, and the metadata are those of the first.
 */
import { ArgumentError } from '@foretoken/tensor'
import { WeightsFormatError } from '../errors.ts'
import { type ByteSource, disposeSources } from '../sources/byte-source.ts'
import { type LocatedTensor, OpenWeights } from '../store/open-weights.ts'
import type { MetadataValue, WeightStore } from '../weight-store.ts'
import { type GgufHeader, readGgufHeader } from './header.ts'

/**
 * Opens a GGUF file, or all parts of a split one: headers are read and checked, data are read when they are asked for.
 *
 * @param sources  one file, or all parts in their order; owned by the store from here on, and closed when opening fails
 * @throws {WeightsFormatError} when a file is broken, or parts are missing, doubled or out of order
 * @throws {UnsupportedEncodingError} when a tensor has a type that is not read
 */
export async function openGguf(
  sources: ByteSource | readonly ByteSource[],
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<WeightStore> {
  const files = 'read' in sources ? [sources] : sources
  try {
    return await openAll(files, options)
  } catch (cause) {
    await disposeSources(files)
    throw cause
  }
}

/** How many parts the file at hand belongs to; 1 when it is not split. */
function splitCount(metadata: ReadonlyMap<string, MetadataValue>, file: string): number {
  return wholeNumber(metadata, { key: 'split.count', file, fallback: 1 }) || 1
}

async function openAll(sources: readonly ByteSource[], options: { readonly signal?: AbortSignal | undefined }): Promise<WeightStore> {
  if (sources.length === 0) throw new ArgumentError({ field: 'sources', found: 'no files', expected: 'at least one' })
  const located = new Map<string, LocatedTensor>()
  let metadata: ReadonlyMap<string, MetadataValue> = new Map()
  for (const [index, source] of sources.entries()) {
    const header = await readGgufHeader(source, options)
    if (index === 0) metadata = header.metadata
    checkPart(header, { file: source.name, index, parts: sources.length })
    for (const { info, offset } of header.entries) {
      const other = located.get(info.name)
      if (other !== undefined) {
        throw new WeightsFormatError({
          file: source.name,
          tensor: info.name,
          found: `a tensor that is in ${other.info.file} as well`,
          expected: 'each tensor in one part',
        })
      }
      located.set(info.name, { info, source, offset })
    }
  }
  checkTotal(metadata, located.size, sources[0]?.name ?? 'no file')
  return new OpenWeights({ format: 'gguf', sources, located, metadata })
}

interface Part {
  readonly file: string
  readonly index: number
  readonly parts: number
}

function checkPart({ metadata }: GgufHeader, { file, index, parts }: Part): void {
  const count = splitCount(metadata, file)
  if (count !== parts) {
    throw new WeightsFormatError({
      file,
      field: 'split.count',
      found: `${parts} files for a model in ${count} parts`,
      expected: `all ${count} parts, in their order`,
    })
  }
  const number = wholeNumber(metadata, { key: 'split.no', file, fallback: 0 })
  if (number !== index) {
    throw new WeightsFormatError({
      file,
      field: 'split.no',
      found: `part ${number} at place ${index}`,
      expected: 'parts in their order, counted from 0',
    })
  }
}

function checkTotal(metadata: ReadonlyMap<string, MetadataValue>, tensors: number, file: string): void {
  const total = wholeNumber(metadata, { key: 'split.tensors.count', file, fallback: tensors })
  if (total === tensors) return
  throw new WeightsFormatError({ file, field: 'split.tensors.count', found: `${tensors} tensors in all parts`, expected: `${total}` })
}

function wholeNumber(
  metadata: ReadonlyMap<string, MetadataValue>,
  { key, file, fallback }: { key: string; file: string; fallback: number },
): number {
  const value = metadata.get(key)
  if (value === undefined) return fallback
  const number = typeof value === 'bigint' ? Number(value) : value
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  throw new WeightsFormatError({ file, field: key, found: 'a value that is no whole number', expected: 'a whole number' })
}
