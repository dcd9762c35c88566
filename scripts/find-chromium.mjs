/** The Chromium or Chrome of this machine, for tests in a page. */
import { existsSync } from 'node:fs'

const PLACES = {
  linux: [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/usr/bin/google-chrome-stable',
    '/snap/bin/chromium',
  ],
  darwin: ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium'],
  win32: ['C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe', 'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe'],
}

/** @returns {string | undefined} what FORETOKEN_CHROMIUM names, or the first of the usual places that exists */
export function findChromium() {
  const named = process.env.FORETOKEN_CHROMIUM
  if (named !== undefined && named !== '') return named
  return (PLACES[process.platform] ?? []).find((path) => existsSync(path))
}
