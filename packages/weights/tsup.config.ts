import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts', 'src/hub/index.ts', 'src/platform/node.ts', 'src/platform/web.ts'],
  external: ['#platform'],
  format: 'esm',
  target: 'es2023',
  platform: 'neutral',
  sourcemap: true,
  clean: true,
  dts: false,
})
