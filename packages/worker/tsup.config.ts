import { readFile } from 'node:fs/promises'
import { defineConfig } from 'tsup'

/** Bundlers find the worker's script by the text `new URL('…', import.meta.url)`, so it has to name a file that is there: built, that is a `.js`. */
const builtEntry = {
  name: 'built-entry',
  setup(build: {
    onLoad(options: { filter: RegExp }, load: (file: { path: string }) => Promise<{ contents: string; loader: 'ts' }>): void
  }) {
    build.onLoad({ filter: /[\\/]src[\\/]platform[\\/]\w+\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace("'../entry.ts'", "'../entry.js'"),
      loader: 'ts',
    }))
  },
}

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/entry.ts',
    'src/platform/node.ts',
    'src/platform/web.ts',
    'src/host/platform/node.ts',
    'src/host/platform/web.ts',
  ],
  external: ['#platform', '#host-platform', /^node:/],
  esbuildPlugins: [builtEntry],
  format: 'esm',
  target: 'es2024',
  platform: 'neutral',
  removeNodeProtocol: false,
  sourcemap: true,
  clean: true,
  dts: false,
})
