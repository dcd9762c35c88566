/** The page in Chromium, with a model in its worker: what a visitor does, and what goes wrong for some. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findChromium } from '../../../scripts/find-chromium.mjs'
import { type BuiltPage, buildPage, launch, type OpenPage, openPage } from './browser/built-page.ts'
import { type PageServer, REPOSITORY, startPageServer } from './browser/page-server.ts'
import { tinyCheckpoint } from './browser/tiny-checkpoint.ts'

const chromiumPath = findChromium()
const smollm2 = join(process.env.FORETOKEN_MODELS ?? 'absent', 'smollm2-135m-instruct-q4_1.gguf')

describe.skipIf(chromiumPath === undefined)('the playground (needs Chromium)', { timeout: 180_000 }, () => {
  let build: BuiltPage
  let browser: Browser
  let server: PageServer
  let folder: string
  let checkpoint: ReadonlyMap<string, Uint8Array>

  beforeAll(async () => {
    checkpoint = await tinyCheckpoint()
    folder = await mkdtemp(join(tmpdir(), 'foretoken-tiny-'))
    await mkdir(join(folder, 'tiny'))
    for (const [name, content] of checkpoint) await writeFile(join(folder, 'tiny', name), content)
    build = await buildPage()
    browser = await launch(chromiumPath ?? '')
    server = await startPageServer({ build: build.folder, checkpoint, isIsolated: true })
  }, 180_000)

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await browser?.close()
    await build?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  const open = (options?: BrowserContextOptions, init?: () => void): Promise<OpenPage> => openPage(browser, server.page, options, init)

  /** Opens the page and the checkpoint from the disk. */
  async function openWithModel(options?: BrowserContextOptions, init?: () => void): Promise<OpenPage> {
    const opened = await open(options, init)
    await chooseFolder(opened.page, join(folder, 'tiny'))
    await question(opened.page).waitFor()
    return opened
  }

  test('a folder from the disk is loaded, answers, and says what it cost', async () => {
    await using opened = await openWithModel()
    const { page, complaints } = opened
    await ask(page, 'why?', 12)
    // 'user: why?<end>assistant: ', a token for each byte and one for the end
    expect(await facts(page)).toMatch(/^12 tokens · [\d.]+ tokens\/s · prompt of 22 tokens, 0 reused, [\d.]+ m?s · no more room$/)
    await expectCount(page.getByRole('option'), 12)
    await page.getByRole('tab', { name: 'Plan' }).click()
    expect(await planValue(page, 'Threads')).toBe('2')
    expect(await planValue(page, 'Context')).toBe('8,192 tokens')
    await page.getByRole('tab', { name: 'Speed' }).click()
    expect(await page.getByRole('img', { name: /^Tokens per second: / }).getAttribute('aria-label')).toMatch(/tokens per second at the end/)
    expect(complaints).toEqual([])
  })

  test('tokens are walked with the arrow keys, and tell their probability and what else there was', async () => {
    await using opened = await openWithModel()
    const { page } = opened
    await ask(page, 'why?', 12)
    await page.getByRole('listbox').focus()
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowLeft']) await page.keyboard.press(key)
    const chosen = page.getByRole('option', { selected: true })
    expect(await chosen.getAttribute('data-index')).toBe('1')
    expect(await chosen.getAttribute('aria-label')).toMatch(/^.+, [\d.]+ %; else .+ %, .+ %, .+ %$/)
    expect(await page.getByRole('tabpanel').getByText('2 of 12').isVisible()).toBe(true)
    // the probabilities of the card are in order
    const shares = await page.getByRole('tabpanel').locator('tbody .numbers').allInnerTexts()
    const values = shares.map((text) => Number.parseFloat(text))
    expect(values.slice(0, 6)).toEqual(values.slice(0, 6).toSorted((a, b) => b - a))
    await page.keyboard.press('End')
    expect(await page.getByRole('option', { selected: true }).getAttribute('data-index')).toBe('11')
    await page.keyboard.press('Escape')
    await expectCount(page.getByRole('option', { selected: true }), 0)
  })

  test('an answer can be stopped, keeps what was written, and the next one reads only what is new', async () => {
    await using opened = await openWithModel()
    const { page } = opened
    await longestAnswer(page, 4000)
    await question(page).fill('why?')
    await question(page).press('Enter')
    await page.getByRole('option').nth(20).waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await answered(page)
    expect(await facts(page)).toMatch(/^\d+ tokens · stopped$/)
    expect(await page.getByRole('option').count()).toBeLessThan(4000)
    await ask(page, 'and?', 3)
    const [, prompt, reused] = /prompt of (\d+) tokens, (\d+) reused/.exec(await facts(page)) ?? []
    // at least the prompt of the first turn; its noise is not the same bytes when it is read back
    expect(Number(reused)).toBeGreaterThanOrEqual(22)
    expect(Number(prompt)).toBeGreaterThan(Number(reused))
  })

  test('Escape stops as well', async () => {
    await using opened = await openWithModel()
    const { page } = opened
    await longestAnswer(page, 4000)
    await question(page).fill('why?')
    await question(page).press('Enter')
    await page.getByRole('option').nth(3).waitFor()
    await page.keyboard.press('Escape')
    await answered(page)
    expect(await facts(page)).toMatch(/stopped$/)
  })

  test('an edited question is a branch whose cache is forked: what both have in common is not computed again', async () => {
    await using opened = await openWithModel()
    const { page } = opened
    await ask(page, 'first', 8)
    await ask(page, 'second one', 8)
    const before = await answers(page).last().innerText()
    await page.getByRole('article', { name: 'You' }).last().getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Edit your question').fill('second two')
    await page.getByLabel('Edit your question').press('Enter')
    await answered(page)
    const [, prompt, reused] = /prompt of (\d+) tokens, (\d+) reused/.exec(await facts(page)) ?? []
    // all up to 'second ' is shared, 'two<end>assistant: ' is not
    expect(Number(prompt) - Number(reused)).toBe(15)
    expect(await page.getByRole('group', { name: 'Versions of this question' }).innerText()).toContain('2/2')
    await page.getByRole('button', { name: 'Previous version of this question' }).click()
    expect(await answers(page).last().innerText()).toBe(before)
    // the old branch still has its cache
    await ask(page, 'third', 3)
    const [, ...old] = /prompt of (\d+) tokens, (\d+) reused/.exec(await facts(page)) ?? []
    expect(Number(old[0]) - Number(old[1])).toBeLessThan(40)
  })

  test('regenerating adds a version of the answer, with other noise of the same seed', async () => {
    await using opened = await openWithModel()
    const { page } = opened
    await ask(page, 'why?', 24)
    const first = await answers(page).locator('.tokens').innerText()
    await page.getByRole('button', { name: 'Regenerate' }).click()
    await answered(page)
    expect(await page.getByRole('group', { name: 'Versions of this answer' }).innerText()).toContain('2/2')
    const second = await answers(page).locator('.tokens').innerText()
    expect(second).not.toBe(first)
    expect(await facts(page)).toContain('prompt of 22 tokens, 21 reused')
    await page.getByRole('button', { name: 'Previous version of this answer' }).press('Enter')
    expect(await answers(page).locator('.tokens').innerText()).toBe(first)
    // the keyboard is not lost with the button that was pressed
    await page.keyboard.press('Enter')
    expect(await answers(page).locator('.tokens').innerText()).toBe(second)
  })

  test('a reload brings back the chat with its tokens and branches', async () => {
    await using opened = await openWithModel()
    const { page, complaints } = opened
    await ask(page, 'why?', 10)
    await page.getByRole('button', { name: 'Regenerate' }).click()
    await answered(page)
    const text = await answers(page).locator('.tokens').innerText()
    await page.reload()
    await expectCount(page.getByRole('option'), 10)
    expect(await answers(page).locator('.tokens').innerText()).toBe(text)
    expect(await page.getByRole('group', { name: 'Versions of this answer' }).innerText()).toContain('2/2')
    await page.getByPlaceholder('Load a model to go on').waitFor()
    await page.getByRole('button', { name: 'Chats' }).click()
    await page.getByRole('button', { name: 'Delete “why?”' }).click()
    await page.reload()
    await page.getByRole('heading', { name: 'A language model, here in this page' }).waitFor()
    expect(complaints).toEqual([])
  })

  test('a model of the hub is downloaded once, and is there again after a reload without a network', async () => {
    await using ownServer = await startPageServer({ build: build.folder, checkpoint, isIsolated: true })
    await using opened = await openPage(browser, ownServer.page)
    const { page } = opened
    await page.getByLabel('From the hub').fill(REPOSITORY)
    await page.getByLabel('From the hub').press('Enter')
    await question(page).waitFor()
    expect(ownServer.downloads).toContain('model.safetensors')
    const downloads = ownServer.downloads.length
    await page.evaluate(async () => (await navigator.serviceWorker.ready).active !== null)
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
    ownServer.isSilent = true
    await page.reload()
    await question(page).waitFor()
    await ask(page, 'why?', 6)
    await expectCount(page.getByRole('option'), 6)
    expect(ownServer.downloads.length).toBe(downloads)
  })

  test('a hub that cannot be reached is told, and the page stays usable', async () => {
    await using opened = await open()
    const { page } = opened
    await page.getByLabel('From the hub').fill('tests/absent')
    await page.getByLabel('From the hub').press('Enter')
    await page.getByRole('alert').waitFor()
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await chooseFolder(page, join(folder, 'tiny'))
    await question(page).waitFor()
  })

  test('files that are no model are refused, each with a reason', async () => {
    await using opened = await open()
    const { page } = opened
    const files = page.getByLabel('Model files')
    await files.setInputFiles({ name: 'cat.png', mimeType: 'image/png', buffer: Buffer.from('png') })
    await alert(page, 'These files are not a model').waitFor()
    await files.setInputFiles({ name: 'broken.gguf', mimeType: '', buffer: Buffer.from('GGUF is what it says it is') })
    await alert(page, 'The file is damaged, or of another kind').waitFor()
    await page.getByLabel('From the hub').fill('nothing')
    await page.getByLabel('From the hub').press('Enter')
    await alert(page, 'That is not the name of a model').waitFor()
    expect(await page.getByRole('button', { name: 'Load', exact: true }).first().isEnabled()).toBe(true)
  })

  test('a file may be dropped anywhere on the page', async () => {
    await using opened = await open()
    const { page } = opened
    const gguf = await readFile(new URL('../../../packages/models/test/fixtures/gguf/tiny-llama-q4_k.gguf', import.meta.url))
    const transfer = await page.evaluateHandle((bytes) => {
      const data = new DataTransfer()
      data.items.add(new File([Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0))], 'tiny.gguf'))
      return data
    }, gguf.toString('base64'))
    await page.getByRole('banner').dispatchEvent('drop', { dataTransfer: transfer })
    await page.getByRole('heading', { name: 'tiny.gguf is listening' }).waitFor()
    await ask(page, 'why?', 4)
    await expectCount(page.getByRole('option'), 4)
  })

  test('a model without a tokenizer is opened, and says that it cannot chat', async () => {
    await using opened = await open()
    const { page } = opened
    await mkdir(join(folder, 'mute'))
    for (const name of ['config.json', 'model.safetensors']) await writeFile(join(folder, 'mute', name), checkpoint.get(name) ?? '')
    await chooseFolder(page, join(folder, 'mute'))
    await page.getByRole('heading', { name: 'mute is open' }).waitFor()
    expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true)
  })

  test('without cross-origin isolation one thread computes, and the plan says why', async () => {
    await using plain = await startPageServer({ build: build.folder, checkpoint, isIsolated: false })
    await using opened = await openPage(browser, plain.page, { serviceWorkers: 'block' })
    const { page } = opened
    await chooseFolder(page, join(folder, 'tiny'))
    await question(page).waitFor()
    await ask(page, 'why?', 4)
    await page.getByRole('tab', { name: 'Plan' }).click()
    expect(await planValue(page, 'Threads')).toBe('1')
    expect(await page.getByRole('tabpanel').innerText()).toMatch(/isolat/)
  })

  test('the service worker isolates the page where the host sends no headers', async () => {
    await using plain = await startPageServer({ build: build.folder, checkpoint, isIsolated: false })
    await using opened = await openPage(browser, plain.page)
    const { page } = opened
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
    await page.reload()
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
  })

  test('where storage is full a model of the hub runs from memory, and the plan says so', async () => {
    await using opened = await open()
    const { page } = opened
    const session = await page.context().newCDPSession(page)
    await session.send('Storage.overrideQuotaForOrigin', { origin: server.hub, quotaSize: 1000 })
    await page.getByLabel('From the hub').fill(REPOSITORY)
    await page.getByLabel('From the hub').press('Enter')
    await question(page).waitFor()
    await ask(page, 'why?', 4)
    await expectCount(page.getByRole('option'), 4)
    await page.getByRole('tab', { name: 'Plan' }).click()
    expect(await page.getByRole('tabpanel').innerText()).toMatch(/quota|room|space|full/i)
  })

  test('where chats cannot be kept the page says so, and chats', async () => {
    await using opened = await openWithModel({}, () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException('The user denied permission', 'SecurityError')
      }
      Storage.prototype.setItem = () => {
        throw new DOMException('full', 'QuotaExceededError')
      }
    })
    const { page } = opened
    await alert(page, 'This chat cannot be kept').waitFor()
    await ask(page, 'why?', 4)
    await expectCount(page.getByRole('option'), 4)
  })

  test('a model whose worker ends is a failure that can be mended', async () => {
    await using opened = await openWithModel()
    const { page } = opened
    await ask(page, 'why?', 4)
    await Promise.any(page.workers().map((worker) => worker.evaluate(() => self.close())))
    await alert(page, 'The model stopped').waitFor()
    await page.getByRole('button', { name: 'Load again' }).click()
    await question(page).waitFor()
    await ask(page, 'and?', 4)
    await expectCount(answers(page), 2)
  })

  test('the tokenizer view cuts a text into tokens with ids and bytes', async () => {
    await using opened = await openWithModel()
    const { page } = opened
    await page.getByRole('button', { name: 'Tokenizer' }).click()
    await page.getByRole('textbox', { name: 'Text' }).fill('é<end>')
    await page.getByText('7 tokens · 6 characters · 7 bytes · 1.00 bytes a token').waitFor()
    const pieces = await page.getByRole('listitem').allInnerTexts()
    expect(pieces.slice(0, 3).map((text) => text.split('\n'))).toEqual([
      ['‹c3›', '195', 'c3'],
      ['‹a9›', '169', 'a9'],
      ['<', '60', '3c'],
    ])
  })

  test('the page fits a narrow screen, and all of it can be reached there', async () => {
    await using opened = await openWithModel({ viewport: { width: 360, height: 740 }, hasTouch: true, colorScheme: 'dark' })
    const { page, complaints } = opened
    await question(page).fill('why? '.repeat(20))
    await page.getByRole('button', { name: 'Send' }).click()
    await answered(page)
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)
    expect(await fits()).toBe(true)
    for (const tab of ['Speed', 'Token', 'Plan', 'Settings']) {
      await page.getByRole('button', { name: 'Inspect' }).click()
      await page.getByRole('tab', { name: tab }).click()
      expect(await fits()).toBe(true)
    }
    await page.getByRole('button', { name: 'Tokenizer' }).click()
    expect(await fits()).toBe(true)
    await page.getByRole('button', { name: 'Chat', exact: true }).click()
    await page.getByRole('option').first().tap()
    await expectCount(page.getByRole('option', { selected: true }), 1)
    expect(complaints).toEqual([])
  })

  test.skipIf(!existsSync(smollm2))('SmolLM2 from a GGUF file answers in words (needs FORETOKEN_MODELS)', async () => {
    await using opened = await open()
    const { page, complaints } = opened
    await page.getByLabel('Model files').setInputFiles(smollm2)
    await question(page).waitFor({ timeout: 120_000 })
    await page.getByRole('tab', { name: 'Settings' }).click()
    await page.getByRole('slider', { name: 'Temperature' }).fill('0')
    await ask(page, 'Why is the sky blue?', 24)
    expect(await answers(page).locator('.tokens').innerText()).toMatch(/\b(light|scatter|blue)/i)
    expect(complaints).toEqual([])
  })
})

/** What the plan panel says beside a name. */
const planValue = (page: Page, name: string): Promise<string> =>
  page.getByRole('tabpanel').locator('dt', { hasText: name }).first().locator('+ dd').innerText()

const alert = (page: Page, text: string): Locator => page.getByRole('alert').filter({ hasText: text })
const question = (page: Page): Locator => page.getByPlaceholder('Ask something')
const answers = (page: Page): Locator => page.getByRole('article', { name: 'Answer' })
const facts = (page: Page): Promise<string> => answers(page).last().locator('.facts').innerText()

async function chooseFolder(page: Page, path: string): Promise<void> {
  await page.getByLabel('Model folder').setInputFiles(path)
}

/** Asks, and waits for the end of the answer. */
async function ask(page: Page, text: string, tokens: number): Promise<void> {
  await longestAnswer(page, tokens)
  await question(page).fill(text)
  await question(page).press('Enter')
  await answered(page)
}

async function longestAnswer(page: Page, tokens: number): Promise<void> {
  await page.getByRole('tab', { name: 'Settings' }).click()
  await page.getByLabel('Longest answer').fill(`${tokens}`)
  await page.getByLabel('Longest answer').blur()
}

async function answered(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Send' }).waitFor()
}

async function expectCount(locator: Locator, count: number): Promise<void> {
  await expect.poll(() => locator.count()).toBe(count)
}
