import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

const conditions = ['foretoken-source', ...defaultServerConditions]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/test/**/*.test.ts'],
    testTimeout: 30_000,
  },
})
