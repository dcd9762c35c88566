/** The Chromium or Chrome of this machine, for tests in a page; where it may, `installChromium` gets one. */
import { spawnSync } from 'node:child_process'
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

/**
 * Installs Debian's Chromium when there is none, the machine has apt-get, and this is its root: a container, mostly. Without one the tests in
 * a page count as skipped, and the run says so.
 */
export function installChromium() {
  if (findChromium() !== undefined) return
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0
  if (!isRoot || spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0) {
    process.stderr.write('Found no Chromium or Chrome: tests in a page are skipped. FORETOKEN_CHROMIUM names one in another place.\n')
    return
  }
  process.stderr.write('Installing Chromium for the tests in a page (about half a minute) …\n')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // old lists may name packages that are gone; without a network the lists of the machine have to do
  spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' })
  const run = spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { env, encoding: 'utf8' })
  if (run.status !== 0 || findChromium() === undefined) {
    process.stderr.write(`${run.stderr ?? ''}apt-get could not install chromium: tests in a page are skipped.\n`)
  }
}
