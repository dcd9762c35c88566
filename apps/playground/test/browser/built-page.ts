/** The page as it is published: built once, opened in a real browser, with an ear for everything that the browser complains about. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright'

const APP = fileURLToPath(new URL('../..', import.meta.url))
const FLAGS = ['--no-sandbox', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

export interface BuiltPage extends AsyncDisposable {
  readonly folder: string
}

export async function buildPage(): Promise<BuiltPage> {
  const folder = await mkdtemp(join(tmpdir(), 'foretoken-playground-'))
  const env = { ...process.env, NODE_ENV: 'production' }
  const vite = join(APP, 'node_modules/vite/bin/vite.js')
  await promisify(execFile)(process.execPath, [vite, 'build', '--outDir', folder, '--emptyOutDir', '--logLevel', 'error'], {
    cwd: APP,
    env,
  })
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: FLAGS })
}

export interface OpenPage extends AsyncDisposable {
  readonly page: Page
  /** Errors and warnings of the console, and errors that nobody caught. */
  readonly complaints: string[]
}

/** @param init  runs in the page before its own scripts */
export async function openPage(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
  init?: () => void,
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  if (init !== undefined) await page.addInitScript(init)
  await page.goto(address)
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() }
}
