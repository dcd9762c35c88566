/** esbuild does not look for workers and wasm files: the worker is a second entry, and the runtime's file is copied beside it. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const folder = import.meta.dirname
const output = join(folder, 'dist')
await build({
  entryPoints: { main: join(folder, 'main.js'), worker: fileURLToPath(import.meta.resolve('@foretoken/worker/entry')) },
  outdir: output,
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  target: 'es2024',
  logLevel: 'error',
})
copyFileSync(join(folder, 'index.html'), join(output, 'index.html'))
const wasm = 'ort-wasm-simd-threaded.wasm'
copyFileSync(fileURLToPath(import.meta.resolve(`onnxruntime-web/${wasm}`)), join(output, wasm))
