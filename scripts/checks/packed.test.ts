/**
 * The tarballs as users get them: what publint and arethetypeswrong say about each (ESM only, so resolutions from CommonJS and
 * from before `exports` do not count), and all of them installed by npm in an empty folder.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root, type WorkspacePackage, workspacePackages } from '../workspace-packages.ts'

const execute = promisify(execFile)
const packages = workspacePackages()
const IGNORED_RESOLUTIONS = new Set(['node10', 'node16-cjs'])
const INSTALL_TIMEOUT_MS = 300_000

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-packed-'))
  await execute('pnpm', ['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', folder], { cwd: root })
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

describe.each(packages)('$name', (workspacePackage) => {
  test('publint finds nothing in the tarball', async () => {
    const { messages, pkg } = await publint({ pack: { tarball: tarball(workspacePackage).slice().buffer }, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([])
  })

  test('its types resolve for ESM in Node and in bundlers', async () => {
    const result = await checkPackage(createPackageFromTarballData(tarball(workspacePackage)))
    const problems = result.types === false ? ['no types'] : result.problems
    expect(problems.filter((problem) => !isIgnored(problem))).toEqual([])
  })
})

test('npm installs all tarballs in an empty folder, and every package can be imported there', { timeout: INSTALL_TIMEOUT_MS }, async () => {
  const project = await mkdtemp(join(tmpdir(), 'foretoken-installed-'))
  try {
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
    const tarballs = (await readdir(folder)).map((file) => join(folder, file))
    // The install script of onnxruntime-node fetches CUDA libraries; the CPU library is in the package itself.
    const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' }
    await execute('npm', ['install', '--no-audit', '--no-fund', '--no-progress', ...tarballs], { cwd: project, env })
    const specifiers = packages.flatMap(({ entries }) => entries.map(({ specifier }) => specifier))
    const lines = specifiers.map((specifier) => `console.log('${specifier}', Object.keys(await import('${specifier}')).length > 0)\n`)
    await writeFile(join(project, 'imports.mjs'), lines.join(''))
    const { stdout } = await execute(process.execPath, ['imports.mjs'], { cwd: project })
    expect(stdout.trim().split('\n')).toEqual(specifiers.map((specifier) => `${specifier} true`))
    const version = await execute(process.execPath, ['node_modules/@foretoken/cli/bin/foretoken.mjs', '--version'], { cwd: project })
    expect(version.stdout.trim()).toMatch(/^\d+\.\d+\.\d+/)
  } finally {
    await rm(project, { recursive: true, force: true })
  }
})

function tarball({ name, version }: WorkspacePackage): Uint8Array {
  return new Uint8Array(readFileSync(join(folder, `foretoken-${name}-${version}.tgz`)))
}

function isIgnored(problem: unknown): boolean {
  if (typeof problem !== 'object' || problem === null || !('resolutionKind' in problem)) return false
  return typeof problem.resolutionKind === 'string' && IGNORED_RESOLUTIONS.has(problem.resolutionKind)
}
