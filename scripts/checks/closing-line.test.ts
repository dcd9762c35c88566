/** The closing line tells the truth: nothing that went wrong is left out of its counts, and the exit status agrees. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../workspace-packages.ts'

// Below node_modules, so that the run finds vitest and nobody else finds its files.
const scratch = join(root, 'node_modules', '.foretoken')
let folder = ''
beforeAll(() => {
  mkdirSync(scratch, { recursive: true })
  folder = mkdtempSync(join(scratch, 'closing-line-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function configure(absent: readonly string[]) {
  writeFileSync(
    join(folder, 'vitest.config.ts'),
    `import { summaryReporter } from ${JSON.stringify(join(root, 'scripts', 'summary-reporter.ts'))}
const reporters = [summaryReporter(${JSON.stringify(absent)})]
export default { test: { globals: true, include: ['*.case.ts'], exclude: [], reporters } }\n`,
  )
}

test('tests that pass and tests that are skipped are counted apart', () => {
  expect(run("test('a', () => {})\ntest('b', () => {})\ntest.skip('c', () => {})\n")).toMatchObject({
    line: '2 passed, 0 failed, 1 skipped',
    status: 0,
  })
})

test('a failing test is counted', () => {
  expect(run("test('a', () => {})\ntest('b', () => { throw new Error('b') })\n")).toMatchObject({ line: '1 passed, 1 failed', status: 1 })
})

test('a file that cannot be loaded is one failure', () => {
  expect(run("import './absent.ts'\ntest('a', () => {})\n")).toMatchObject({ line: '0 passed, 1 failed', status: 1 })
})

test('an error outside of a test is one failure', () => {
  const source =
    "test('a', async () => { setTimeout(() => { throw new Error('late') }); await new Promise((done) => setTimeout(done, 50)) })\n"
  expect(run(source)).toMatchObject({ line: '1 passed, 1 failed', status: 1 })
})

test('a hook that fails is one failure, and its tests do not count as passed', () => {
  const { line, status } = run("describe('d', () => { beforeAll(() => { throw new Error('hook') })\ntest('a', () => {}) })\n")
  expect(line).toMatch(/^0 passed, 1 failed/)
  expect(status).toBe(1)
})

test('a project that the machine cannot run is named, and counts as skipped', () => {
  const { line, status, output } = run("test('a', () => {})\n", ['in-a-page'])
  expect({ line, status }).toEqual({ line: '1 passed, 0 failed, 1 skipped', status: 0 })
  expect(output).toContain('skipped: in-a-page, no Chromium found')
})

function run(source: string, absent: readonly string[] = []) {
  configure(absent)
  writeFileSync(join(folder, 'only.case.ts'), source)
  const env = { ...process.env }
  delete env.FORETOKEN_TEST_SUMMARY
  const { stdout, status } = spawnSync(join(root, 'node_modules/.bin/vitest'), ['run', '--root', folder], { env, encoding: 'utf8' })
  return { line: stdout.trimEnd().split('\n').at(-1), status, output: stdout }
}
