/** One static build with relative addresses: it works from any folder of any host. */
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defaultClientConditions, defineConfig } from 'vite'
import { contentPolicy } from './build/content-policy.ts'
import { ISOLATION_HEADERS } from './build/isolation.ts'
import { offlinePage } from './build/offline-plugin.ts'

export default defineConfig({
  base: './',
  plugins: [svelte(), contentPolicy(), offlinePage()],
  resolve: { conditions: ['foretoken-source', ...defaultClientConditions] },
  server: { headers: ISOLATION_HEADERS },
  preview: { headers: ISOLATION_HEADERS },
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  build: { target: 'es2024', chunkSizeWarningLimit: 1000 },
})
