import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts', 'src/platform/node.ts', 'src/platform/convert-part.ts', 'src/platform/web.ts', 'src/locate/index.ts'],
  external: ['#platform', /^node:/],
  format: 'esm',
  target: 'es2024',
  platform: 'neutral',
  removeNodeProtocol: false,
  sourcemap: true,
  clean: true,
  dts: false,
})
