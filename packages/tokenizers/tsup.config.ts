import { defineConfig } from 'tsup'

export default defineConfig({
  // Only the first is exported. The others put the chat templates into a file of their own, which a bundler leaves out where it is not used.
  entry: ['src/index.ts', 'src/tokenizer-from-json.ts', 'src/chat-template/chat-renderer.ts'],
  external: [/^node:/],
  format: 'esm',
  target: 'es2024',
  platform: 'neutral',
  removeNodeProtocol: false,
  sourcemap: true,
  clean: true,
  dts: false,
})
