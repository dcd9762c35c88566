import { defineConfig } from 'tsup'

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/hub/index.ts',
    'src/hub/hub-storage/node.ts',
    'src/hub/hub-storage/web.ts',
    'src/origin-files/index.ts',
    'src/platform/node.ts',
    'src/platform/web.ts',
  ],
  external: ['#platform', '#hub-storage', /^node:/],
  format: 'esm',
  target: 'es2024',
  platform: 'neutral',
  removeNodeProtocol: false,
  sourcemap: true,
  clean: true,
  dts: false,
})
