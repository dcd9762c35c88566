/**
 * Takes the pictures of the README from the built page, with SmolLM2 in it:
 *
 *     FORETOKEN_MODELS=~/models node apps/playground/screenshots/take-screenshots.ts
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright'
import { findChromium } from '../../../scripts/find-chromium.mjs'
import { buildPage, launch, openPage } from '../test/browser/built-page.ts'
import { startPageServer } from '../test/browser/page-server.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const model = join(process.env.FORETOKEN_MODELS ?? 'absent', 'smollm2-135m-instruct-q4_1.gguf')

await using build = await buildPage()
await using server = await startPageServer({ build: build.folder, checkpoint: new Map(), isIsolated: true })
const browser = await launch(findChromium() ?? '/usr/bin/chromium')
try {
  await picture('chat-light.png', { width: 1280, height: 800 }, 'light', async (page) => {
    await page.locator('[data-index="17"]').hover()
  })
  await picture('branch-dark.png', { width: 1280, height: 800 }, 'dark', async (page) => {
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Edit your question').fill('Why is the sky red in the evening?')
    await page.getByRole('button', { name: 'Ask as a branch' }).click()
    await page.getByRole('button', { name: 'Regenerate' }).waitFor()
    await page.getByRole('listbox').focus()
    for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowRight')
  })
  await picture('phone-light.png', { width: 360, height: 740 }, 'light', async (page) => {
    await page.locator('[data-index="17"]').click()
  })
} finally {
  await browser.close()
}

async function picture(
  name: string,
  viewport: { width: number; height: number },
  colorScheme: 'light' | 'dark',
  act: (page: Page) => Promise<void>,
): Promise<void> {
  await using opened = await openPage(browser, server.page, { viewport, colorScheme })
  const { page } = opened
  page.setDefaultTimeout(120_000)
  await page.getByLabel('Model files').setInputFiles(model)
  await page.getByRole('button', { name: 'Why is the sky blue?' }).click()
  await page.getByRole('button', { name: 'Regenerate' }).waitFor()
  await act(page)
  await page.waitForTimeout(300)
  await page.screenshot({ path: join(folder, name) })
}
