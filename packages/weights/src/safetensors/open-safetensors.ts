import { ArgumentError } from '@foretoken/tensor'
import { WeightsFormatError } from '../errors.ts'
import { type ByteSource, disposeSources } from '../sources/byte-source.ts'
import { type LocatedTensor, OpenWeights } from '../store/open-weights.ts'
import type { MetadataValue, WeightStore } from '../weight-store.ts'
import { readSafetensorsHeader } from './header.ts'
import type { ShardIndex } from './shard-index.ts'

export interface SafetensorsOptions {
  /** The index of a sharded checkpoint; the sources are then its files, in any order, found by their names. */
  readonly index?: ShardIndex | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens safetensors files: headers are read and checked, data are read when they are asked for.
 *
 * @param sources  one file or all shards; owned by the store from here on, and closed when opening fails
 * @throws {WeightsFormatError} when a file or the index is broken, a tensor is in two files, or files and index disagree
 */
export async function openSafetensors(sources: ByteSource | readonly ByteSource[], options: SafetensorsOptions = {}): Promise<WeightStore> {
  const files = 'read' in sources ? [sources] : sources
  try {
    return await openAll(files, options)
  } catch (cause) {
    await disposeSources(files)
    throw cause
  }
}

async function openAll(sources: readonly ByteSource[], { index, signal }: SafetensorsOptions): Promise<WeightStore> {
  if (sources.length === 0) throw new ArgumentError({ field: 'sources', found: 'no files', expected: 'at least one' })
  if (index !== undefined) checkFiles(sources, index)
  const located = new Map<string, LocatedTensor>()
  const metadata = new Map<string, MetadataValue>()
  for (const source of sources) {
    const header = await readSafetensorsHeader(source, { signal })
    for (const { info, begin } of header.entries) {
      const other = located.get(info.name)
      if (other !== undefined) {
        throw new WeightsFormatError({
          file: source.name,
          tensor: info.name,
          found: `a tensor that is in ${other.info.file} as well`,
          expected: 'each tensor in one file',
        })
      }
      located.set(info.name, { info, source, offset: header.dataStart + begin })
    }
    for (const [key, value] of header.metadata) if (!metadata.has(key)) metadata.set(key, value)
  }
  if (index !== undefined) checkIndex(located, index)
  return new OpenWeights({ format: 'safetensors', sources, located, metadata })
}

function checkFiles(sources: readonly ByteSource[], index: ShardIndex): void {
  const names = new Set(sources.map((source) => source.name))
  for (const file of index.files) {
    if (names.has(file)) continue
    throw new WeightsFormatError({
      file: index.name,
      found: `the file ${file}, which is not there`,
      expected: 'the files that the index names',
    })
  }
  if (names.size !== sources.length || names.size !== index.files.length) {
    const surplus = [...names].filter((name) => !index.files.includes(name))
    throw new WeightsFormatError({
      file: index.name,
      found: `${sources.length} files (${surplus.join(', ')})`,
      expected: `the ${index.files.length} that the index names, each once`,
    })
  }
}

function checkIndex(located: ReadonlyMap<string, LocatedTensor>, index: ShardIndex): void {
  for (const [tensor, file] of index.fileOf) {
    const actual = located.get(tensor)?.info.file
    if (actual === file) continue
    throw new WeightsFormatError({
      file: index.name,
      tensor,
      found: `the file ${file}`,
      expected: actual === undefined ? 'a file that holds the tensor' : `the file that holds it, ${actual}`,
    })
  }
  for (const [tensor, { info }] of located) {
    if (index.fileOf.has(tensor)) continue
    throw new WeightsFormatError({
      file: info.file,
      tensor,
      found: 'a tensor that is not in the index',
      expected: `the tensors that ${index.name} names`,
    })
  }
}
