/** A wheel made by hand (a zip archive, after PKWARE's APPNOTE) and a pip that delivers it. */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { crc32, deflateRawSync } from 'node:zlib'
import type { WheelSource } from '../../src/model-search/default-model.ts'
import type { PipCommand } from '../../src/model-search/pip-download.ts'

export const MODEL_BYTES: Uint8Array = Uint8Array.from({ length: 50_000 }, (_, index) => (index * 7 + (index >> 8)) & 255)

export const WHEEL: WheelSource = {
  packageName: 'tiny-model',
  version: '1.0',
  wheelBytes: 60_000,
  entry: 'tiny_model/Tiny.Q4_1.gguf',
  size: MODEL_BYTES.length,
  sha256: createHash('sha256').update(MODEL_BYTES).digest('hex'),
}

/** @param size  what the directory of the archive claims, when it shall lie */
export function tinyWheel(entries: Record<string, Uint8Array>, size?: number): Uint8Array {
  const parts: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let offset = 0
  for (const [name, content] of Object.entries(entries)) {
    const packed = deflateRawSync(content)
    const nameBytes = new TextEncoder().encode(name)
    // Version 20, no flags, deflate, no time; then checksum and sizes.
    const facts = bytesOf(
      16,
      20,
      16,
      0,
      16,
      8,
      32,
      0,
      32,
      crc32(content),
      32,
      packed.length,
      32,
      size ?? content.length,
      16,
      nameBytes.length,
    )
    const local = [bytesOf(32, 0x04034b50), facts, bytesOf(16, 0), nameBytes, packed]
    const central = bytesOf(16, 0, 16, 0, 16, 0, 16, 0, 32, 0, 32, offset)
    directory.push(bytesOf(32, 0x02014b50, 16, 20), facts, central, nameBytes)
    parts.push(...local)
    offset += local.reduce((sum, part) => sum + part.length, 0)
  }
  const count = Object.keys(entries).length
  const directoryBytes = directory.reduce((sum, part) => sum + part.length, 0)
  const end = bytesOf(32, 0x06054b50, 16, 0, 16, 0, 16, count, 16, count, 32, directoryBytes, 32, offset, 16, 0)
  return new Uint8Array(Buffer.concat([...parts, ...directory, end]))
}

export function goodWheel(): Uint8Array {
  return tinyWheel({ 'tiny_model/__init__.py': new TextEncoder().encode('x = 1'), [WHEEL.entry]: MODEL_BYTES })
}

/**
 * A pip that copies a wheel into `--dest` and notes its arguments in `calls.txt`.
 *
 * @param code  JavaScript to run instead; sees `dest`, `wheel` (a path) and `fs`
 */
export async function fakePip(folder: string, wheel: Uint8Array, code = DELIVER): Promise<{ pip: PipCommand; calls: string }> {
  const calls = join(folder, 'calls.txt')
  await writeFile(join(folder, 'source.whl'), wheel)
  const script = join(folder, 'pip.mjs')
  await writeFile(
    script,
    `import fs from 'node:fs'
     import path from 'node:path'
     const given = process.argv.slice(2)
     fs.appendFileSync(${JSON.stringify(calls)}, given.join(' ') + '\\n')
     const dest = given[given.indexOf('--dest') + 1]
     const wheel = ${JSON.stringify(join(folder, 'source.whl'))}
     ${code}`,
  )
  return { pip: { command: execPath, arguments: [script] }, calls }
}

const DELIVER = `fs.copyFileSync(wheel, path.join(dest, 'tiny_model-1.0-py3-none-any.whl'))`

/** Long enough to be seen growing. */
export const DELIVER_SLOWLY = `
  const temporary = fs.mkdtempSync(path.join(process.env.TMPDIR, 'pip-unpack-'))
  fs.writeFileSync(path.join(temporary, 'part.whl'), Buffer.alloc(12_345))
  await new Promise((resolve) => setTimeout(resolve, 500))
  fs.rmSync(temporary, { recursive: true })
  ${DELIVER}`

/** Pairs of width in bits and value, little-endian. */
function bytesOf(...pairs: number[]): Uint8Array {
  const bytes: number[] = []
  for (let index = 0; index < pairs.length; index += 2) {
    const value = pairs[index + 1] ?? 0
    for (let bit = 0; bit < (pairs[index] ?? 0); bit += 8) bytes.push((value >>> bit) & 255)
  }
  return Uint8Array.from(bytes)
}
