/**
 * Where tests run. A test file says by its name what it needs: `x.node.test.ts` files and Node, `x.browser.test.ts` a page, and
 * `x.test.ts` neither, so that it runs everywhere:
 *
 *     node             Node, graphs on onnxruntime-node: every file but `.browser`
 *     node-wasm        Node, graphs on onnxruntime-web: what opens graphs, without `.node`
 *     chromium-wasm    a cross-origin isolated page, graphs on onnxruntime-web with 2 threads: all packages, without `.node`
 *     chromium-webgpu  a page, graphs on WebGPU through SwiftShader, a device in software: the files of `WEBGPU_TESTS`
 *     apps-in-chromium built pages in browsers of their own, after everything else: two cores do not answer a click in time beside other tests
 *     workspace        the checks of the repository itself
 *
 * `inject('backend')` says in a test where it is, and `@foretoken/runtime` is replaced by `packages/runtime/test/chosen-runtime.ts`, whose `loadRuntime`
 * is the runtime of the project. Chromium is the one that `FORETOKEN_CHROMIUM` names, or one of the usual places; where there is none,
 * the two projects that need it are left out, and the closing line counts them as skipped.
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { defaultClientConditions, defaultServerConditions, type PluginOption } from 'vite'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { findChromium } from './scripts/find-chromium.mjs'
import { frameDocuments } from './scripts/frame-documents.ts'
import { summaryReporter } from './scripts/summary-reporter.ts'

/** Small models whose every product runs on the device; a software device takes seconds for what wasm does in milliseconds. */
const WEBGPU_TESTS = ['packages/*/test/**/webgpu.browser.test.ts']

/** Without a page's own: what a browser has is tested where no GPU is needed. */
const EVERYWHERE = 'test/**/*.test.ts'
const NEEDS_NODE = '**/*.node.test.ts'
const NEEDS_PAGE = '**/*.browser.test.ts'
const DRIVES_PAGES = ['apps/playground/test/playground.node.test.ts', 'apps/examples/test/examples.node.test.ts']
const NEEDS_GPU = '**/webgpu.browser.test.ts'

/** The runtime, every checkpoint and the step; what else the kernels of wasm compute is tested in the page. */
const GRAPH_TESTS = ['packages/runtime/test/**/*.test.ts', 'packages/models/test/*.test.ts', 'packages/models/test/step/*.test.ts']

const FOUND_LATE = [
  'fast-check',
  '@foretoken/models > @foretoken/tokenizers > @huggingface/jinja',
  '@foretoken/generation > ajv/dist/2020.js',
]

const conditions = ['foretoken-source', ...defaultServerConditions]
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }
const quiet = ['--no-sandbox', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
const chromiumPath = findChromium()

/** Where the server of the tests has what is too large for the repository, or nothing: tests that need it are then skipped by name. */
const models = process.env.FORETOKEN_MODELS?.split(':')[0] || undefined
const servedModels = models === undefined ? '' : `/@fs${resolve(models)}`

const node: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'node',
    include: [`{packages,apps}/*/${EVERYWHERE}`],
    exclude: [NEEDS_PAGE, ...DRIVES_PAGES],
    provide: { backend: 'node' },
  },
}

const appsInChromium: TestProjectInlineConfiguration = {
  extends: true,
  test: { name: 'apps-in-chromium', include: DRIVES_PAGES, sequence: { groupOrder: 1 }, provide: { backend: 'node' } },
}

const nodeWasm: TestProjectInlineConfiguration = {
  extends: true,
  plugins: [chosenRuntime()],
  test: {
    name: 'node-wasm',
    include: GRAPH_TESTS,
    exclude: [NEEDS_NODE, NEEDS_PAGE],
    provide: { backend: 'node-wasm' },
  },
}

const chromiumWasm = chromium({
  name: 'chromium-wasm',
  include: [`packages/*/${EVERYWHERE}`],
  exclude: [NEEDS_NODE, NEEDS_GPU, 'packages/cli/**'],
  flags: [],
})

const chromiumWebgpu = chromium({
  name: 'chromium-webgpu',
  include: WEBGPU_TESTS,
  exclude: [],
  flags: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
})

const workspace: TestProjectInlineConfiguration = {
  extends: true,
  test: { name: 'workspace', include: ['scripts/checks/*.test.ts'], provide: { backend: 'node' } },
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    testTimeout: 30_000,
    // A session computes on several threads: more files at once only wait for each other.
    maxWorkers: 2,
    reporters: ['default', summaryReporter(chromiumPath === undefined ? ['chromium-wasm', 'chromium-webgpu'] : [])],
    projects: [node, nodeWasm, ...(chromiumPath === undefined ? [] : [chromiumWasm, chromiumWebgpu]), appsInChromium, workspace],
  },
})

interface ChromiumProject {
  readonly name: 'chromium-wasm' | 'chromium-webgpu'
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly flags: readonly string[]
}

function chromium({ name, include, exclude, flags }: ChromiumProject): TestProjectInlineConfiguration {
  const launchOptions = { ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }), args: [...quiet, ...flags] }
  return {
    extends: false,
    server: { headers: isolation, fs: { allow: [process.cwd(), ...(models === undefined ? [] : [models])] } },
    resolve: { conditions: ['foretoken-source', ...defaultClientConditions] },
    // what is found late reloads the page in the middle of a run
    optimizeDeps: { exclude: ['onnxruntime-web'], include: FOUND_LATE },
    plugins: [chosenRuntime(), frameDocuments(isolation)],
    test: {
      name,
      include: [...include],
      exclude: [...exclude],
      testTimeout: 60_000,
      provide: { backend: name, servedModels },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        instances: [{ browser: 'chromium' }],
        provider: playwright({ launchOptions }),
      },
    },
  }
}

/** Packages under test get the runtime of the project when they ask for the default one. */
function chosenRuntime(): PluginOption {
  const replacement = fileURLToPath(new URL('./packages/runtime/test/chosen-runtime.ts', import.meta.url))
  return {
    name: 'chosen-runtime',
    enforce: 'pre',
    resolveId: (id) => (id === '@foretoken/runtime' ? replacement : undefined),
  }
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the test runs: the name of the project, and so of the runtime that `loadRuntime` gives. */
    backend: 'node' | 'node-wasm' | 'chromium-wasm' | 'chromium-webgpu'
    /** Address of the folder of real checkpoints on the server of the tests; empty without one. */
    servedModels: string
  }
}
