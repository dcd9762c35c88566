/** Every example is built as its README says and continues a prompt as the reference does: the pages in Chromium, the program in the runtimes that are here. */
import { execFile, spawnSync } from 'node:child_process'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { chromium } from 'playwright'
import { afterAll, describe, expect, test } from 'vitest'
import { findChromium } from '../../../scripts/find-chromium.mjs'
import { tinyModel } from './tiny-model.ts'

const EXAMPLES = join(import.meta.dirname, '..')
const BUILT = join(EXAMPLES, '..', '..', 'packages', 'worker', 'dist', 'index.js')
const BUILD_MS = 240_000
const run = promisify(execFile)

const model = tinyModel()
afterAll(() => model[Symbol.dispose]())
const executablePath = findChromium()

/** What follows the prompt, in words. */
function continuationIn(text: string): string[] {
  expect(text.startsWith(model.prompt)).toBe(true)
  return text.slice(model.prompt.length).match(/t\d+/g) ?? []
}

async function served(folder: string) {
  const types: Readonly<Record<string, string>> = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.mjs': 'text/javascript',
    '.wasm': 'application/wasm',
  }
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const file = join(folder, pathname === '/' ? 'index.html' : pathname)
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
      response.writeHead(404).end()
      return
    }
    const isolation = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream', ...isolation })
    createReadStream(file).pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return { server, origin: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/` }
}

async function generatedIn(folder: string): Promise<{ text: string; status: string }> {
  const { server, origin } = await served(folder)
  const browser = await chromium.launch({ headless: true, args: ['--no-sandbox'], ...(executablePath && { executablePath }) })
  try {
    const page = await browser.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('requestfailed', (request) => problems.push(`${request.url()}: ${request.failure()?.errorText}`))
    await page.goto(origin)
    await page.locator('#files').setInputFiles([...model.files])
    await page.locator('#prompt').fill(model.prompt)
    const opened = page.locator('#generate:enabled').waitFor({ timeout: 60_000 })
    await opened.catch(async () => {
      throw new Error(`the model did not open: ${await page.locator('#status').textContent()} ${problems.join('; ')}`)
    })
    const status = await page.locator('#status').textContent()
    await page.locator('#generate').click()
    await page.locator('#status', { hasText: 'Done.' }).waitFor({ timeout: 60_000 })
    return { text: (await page.locator('#text').textContent()) ?? '', status: status ?? '' }
  } finally {
    await browser.close()
    server.closeAllConnections()
    server.close()
  }
}

describe.skipIf(executablePath === undefined || !existsSync(BUILT))('in a page', () => {
  const builds: Readonly<Record<string, readonly string[]>> = {
    vite: ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'error'],
    webpack: ['node_modules/webpack-cli/bin/cli.js', '--stats', 'errors-only'],
    esbuild: ['build.mjs'],
    static: ['build.mjs'],
  }
  test.each(Object.entries(builds))(
    'built with %s, it generates the reference’s text on several threads',
    { timeout: BUILD_MS },
    async (name, command) => {
      const folder = join(EXAMPLES, name)
      await run(process.execPath, [...command], { cwd: folder })
      const { text, status } = await generatedIn(join(folder, 'dist'))
      expect(continuationIn(text)).toEqual(model.continuation)
      expect(status).toMatch(/^onnxruntime-web .*, [1-9]\d* threads$/)
    },
  )
})

describe.skipIf(!existsSync(BUILT))('in a terminal', () => {
  const runtimes: Readonly<Record<string, readonly string[]>> = { node: [], bun: [], deno: ['run', '-A'] }
  for (const [name, flags] of Object.entries(runtimes)) {
    const command = name === 'node' ? process.execPath : name
    const isHere = spawnSync(command, ['--version']).status === 0
    test.skipIf(!isHere)(`${name} generates the reference’s text`, { timeout: 60_000 }, async () => {
      const { stdout } = await run(command, [...flags, 'main.mjs', model.folder, model.prompt], { cwd: join(EXAMPLES, 'node') })
      expect(continuationIn(stdout)).toEqual(model.continuation)
    })
  }
})
