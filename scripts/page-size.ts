/**
 * What a page loads, as it would arrive: packages as they are built, bundled and minified by esbuild, each file gzipped by itself. Files that are loaded on
 * demand count where the page's purpose needs them. The script of onnxruntime-web is counted apart, its wasm not at all.
 * Budgets stand in `page-budgets.json`, in bytes.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { root } from './workspace-packages.ts'

export interface Page {
  /** Names that the page imports, by package. */
  readonly imports: Readonly<Record<string, readonly string[]>>
  /** Which files that are loaded on demand it loads, by their built names. */
  readonly loads?: RegExp
}

/** @returns bytes after gzip of all files that the page loads */
export async function pageBytes({ imports, loads }: Page): Promise<number> {
  const lines = Object.entries(imports).map(([name, names]) => {
    return `export { ${names.join(', ')} } from ${JSON.stringify(join(root, 'packages', name, 'dist', 'index.js'))}`
  })
  const result = await build({
    stdin: { contents: lines.join('\n'), resolveDir: root, sourcefile: 'page.js' },
    outdir: root,
    bundle: true,
    splitting: true,
    minify: true,
    metafile: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    external: ['onnxruntime-web', 'onnxruntime-web/*'],
    absWorkingDir: root,
    logLevel: 'silent',
  })
  const { outputs } = result.metafile
  const reached = new Set<string>()
  const reach = (file: string) => {
    if (reached.has(file)) return
    reached.add(file)
    for (const { path, kind, external } of outputs[file]?.imports ?? []) {
      if (external) continue
      if (kind !== 'dynamic-import' || loads?.test(outputs[path]?.entryPoint ?? '')) reach(path)
    }
  }
  for (const [file, { entryPoint }] of Object.entries(outputs)) if (entryPoint === 'page.js') reach(file)
  if (reached.size === 0) throw new Error('found no bundle of the page, expected one')
  return result.outputFiles.reduce((total, { path, contents }) => {
    const isReached = reached.has(path.slice(root.length + 1).replaceAll('\\', '/'))
    return isReached ? total + gzippedBytes(contents) : total
  }, 0)
}

/** The script of onnxruntime-web that runs graphs in wasm. */
export function runtimeScriptBytes(): number {
  return gzippedBytes(readFileSync(join(root, 'packages', 'runtime', 'node_modules', 'onnxruntime-web', 'dist', 'ort.wasm.bundle.min.mjs')))
}

function gzippedBytes(contents: Uint8Array): number {
  return gzipSync(contents, { level: 9 }).byteLength
}
