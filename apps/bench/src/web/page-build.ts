/** The page as an app would ship it: one minified bundle, with each side in a part of its own that only its visits load. */
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, defaultClientConditions } from 'vite'

/** Folder of a package that the bench depends on. */
export function packageFolder(name: string): string {
  return folderIn(fileURLToPath(import.meta.resolve(name)), name)
}

function folderIn(entry: string, name: string): string {
  const inside = join('node_modules', ...name.split('/'))
  const at = entry.lastIndexOf(inside + sep)
  return at < 0 ? dirname(entry) : entry.slice(0, at + inside.length)
}

/**
 * @param outputFolder  emptied first
 * @param fromSources   whether our packages are taken from their sources instead of as they are published
 */
export async function buildPage(outputFolder: string, fromSources: boolean): Promise<void> {
  const ort = packageFolder('onnxruntime-web')
  const common = createRequire(join(ort, 'package.json')).resolve('onnxruntime-common')
  await build({
    configFile: false,
    root: join(import.meta.dirname, 'page'),
    base: './',
    logLevel: 'error',
    resolve: {
      conditions: fromSources ? ['foretoken-source', ...defaultClientConditions] : [...defaultClientConditions],
      alias: {
        // The manifest of transformers.js asks for a build of its own of onnxruntime-web, which the workspace leaves out.
        'onnxruntime-web/webgpu': join(ort, 'dist', 'ort.webgpu.bundle.min.mjs'),
        'onnxruntime-common': folderIn(common, 'onnxruntime-common'),
      },
    },
    worker: { format: 'es' },
    build: { outDir: outputFolder, emptyOutDir: true, target: 'esnext', chunkSizeWarningLimit: 10_000 },
  })
}
