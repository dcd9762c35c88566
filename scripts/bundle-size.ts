/**
 * The size of a package's own code as a page would load it: all its entries bundled and minified by esbuild, every dependency
 * left out, gzipped.
 * Budgets stand in `bundle-budgets.json`, in bytes; raising one is a decision that a review sees.
 */
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { WorkspacePackage } from './workspace-packages.ts'

/** @returns bytes after gzip */
export async function bundleBytes({ folder, entries }: WorkspacePackage): Promise<number> {
  const result = await build({
    entryPoints: entries.map(({ built }) => join(folder, built)),
    outdir: folder,
    splitting: true,
    absWorkingDir: folder,
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    packages: 'external',
    external: ['node:*'],
    logLevel: 'silent',
  })
  return result.outputFiles.reduce((total, { contents }) => total + gzipSync(contents, { level: 9 }).byteLength, 0)
}
