import { defineConfig } from 'vite'

const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

export default defineConfig({
  base: './',
  build: { target: 'es2024' },
  worker: { format: 'es' },
  server: { headers },
  preview: { headers },
  // The development server would move these away from their workers and wasm files.
  optimizeDeps: { exclude: ['@foretoken/worker', 'onnxruntime-web'] },
})
