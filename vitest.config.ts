/**
 * Where tests run. `node` holds the tests of all packages, `workspace` the checks of the repository itself. A project that runs
 * the same files elsewhere (WASM in Node, Chromium) is one more entry in `projects` with other conditions and its own `name`.
 */
import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'
import { summaryReporter } from './scripts/summary-reporter.ts'

const conditions = ['foretoken-source', ...defaultServerConditions]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    testTimeout: 30_000,
    // A session computes on several threads: more files at once only wait for each other.
    maxWorkers: 2,
    reporters: ['default', summaryReporter()],
    projects: [
      { extends: true, test: { name: 'node', include: ['{packages,apps}/*/test/**/*.test.ts'], exclude: ['**/*.browser.test.ts'] } },
      { extends: true, test: { name: 'workspace', include: ['scripts/checks/*.test.ts'] } },
    ],
  },
})
