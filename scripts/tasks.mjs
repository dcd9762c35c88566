/**
 * `npm start` and `npm test`, on a machine that has Node 20 and npm and nothing else. Each installs what is missing, then runs
 * its tools on the Node of the lockfile. Tests in a page also need a Chromium, which is installed where apt-get may do that.
 *
 *     npm start                    loads the default model, streams an answer; in a terminal it goes on as a chat
 *     npm start -- "a prompt"      answers that
 *     npm test                     builds, lints, checks types, runs every test; the last line is 'N passed, N failed'
 *     npm test -- packages/tensor  the same, with the tests of one folder only
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installChromium } from './find-chromium.mjs'
import { install, node, root } from './install.mjs'

const isWindows = process.platform === 'win32'
const tasks = { start, test }

const [task, ...rest] = process.argv.slice(2)
if (!Object.hasOwn(tasks, task ?? '')) {
  process.stderr.write(`Found task '${task ?? ''}', expected one of: ${Object.keys(tasks).join(', ')}\n`)
  process.exit(1)
}
process.exitCode = await tasks[task](rest)

/** Nothing but the program's own output reaches stdout; it keeps the terminal, and Ctrl-C is its to answer. */
async function start(prompt) {
  const env = tryInstall()
  if (env === undefined) return 1
  const build = spawnSync(
    'turbo',
    ['run', 'build', '--filter=@foretoken/cli...', '--output-logs=errors-only'],
    options(env, ['ignore', 'pipe', 'pipe']),
  )
  if (build.status !== 0) {
    process.stderr.write(`${build.stdout ?? ''}${build.stderr ?? ''}`)
    return build.status ?? 1
  }
  const program = spawn(node, [join(root, 'packages/cli/bin/foretoken.mjs'), 'start', ...prompt], { env, stdio: 'inherit' })
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => program.kill(signal))
  return await new Promise((resolve) => {
    program.once('error', (error) => {
      process.stderr.write(`${error.message}\n`)
      resolve(1)
    })
    program.once('exit', (status, signal) => resolve(status ?? (signal === null ? 1 : 130)))
  })
}

/** Every step runs even when an earlier one failed; each counts as one test in the closing line. */
async function test(filters) {
  const env = tryInstall()
  const counts = { passed: 0, failed: 0, skipped: 0 }
  if (env === undefined) counts.failed++
  else {
    const steps = [
      ['turbo', 'run', 'build', '--continue', '--output-logs=errors-only'],
      ['biome', 'check', '--error-on-warnings', '.'],
      ['turbo', 'run', 'typecheck', '--continue', '--output-logs=errors-only'],
      ['tsc', '-p', 'tsconfig.json'],
      ['knip'],
    ]
    for (const [tool, ...arguments_] of steps) {
      const passes = step(tool, arguments_, env)
      counts[passes ? 'passed' : 'failed']++
    }
    installChromium()
    runTests(filters, env, counts)
  }
  process.stdout.write(`${closingLine(counts)}\n`)
  return counts.failed === 0 ? 0 : 1
}

/** The counts come back through a file: vitest's own exit status does not say how many, and its last lines are not ours. */
function runTests(filters, env, counts) {
  const folder = mkdtempSync(join(tmpdir(), 'foretoken-test-'))
  const summary = join(folder, 'summary.json')
  const passes = step('vitest', ['run', ...filters], { ...env, FORETOKEN_TEST_SUMMARY: summary })
  try {
    const { passed, failed, skipped } = JSON.parse(readFileSync(summary, 'utf8'))
    counts.passed += passed
    counts.skipped += skipped
    counts.failed += !passes && failed === 0 ? 1 : failed
  } catch {
    counts.failed++
  }
  rmSync(folder, { recursive: true })
}

function step(tool, arguments_, env) {
  process.stdout.write(`\n> ${[tool, ...arguments_].join(' ')}\n`)
  const startedAt = performance.now()
  const { status } = spawnSync(tool, arguments_, options(env, ['ignore', 'inherit', 'inherit']))
  process.stdout.write(`${status === 0 ? 'passed' : 'FAILED'} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`)
  return status === 0
}

function tryInstall() {
  try {
    return install()
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
    return undefined
  }
}

function options(env, stdio) {
  return { cwd: root, env, stdio, shell: isWindows, encoding: 'utf8' }
}

function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`
}
