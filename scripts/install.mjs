/**
 * What every command needs before it can run: the package manager that `packageManager` names, the dependencies of the
 * lockfile, and with them Node 24. Only npm is expected on the machine; `npx` fetches pnpm once and keeps it in its cache.
 *
 * An install that is in step with the lockfile is recognised by a digest of the lockfile and of all manifests, kept in
 * `node_modules`, so a second run pays a few milliseconds and needs no network.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const isWindows = process.platform === 'win32'
const binaries = join(root, 'node_modules', '.bin')
const receiptFile = join(root, 'node_modules', '.foretoken', 'installed.json')

/**
 * Installs what is missing.
 *
 * @returns the environment for every tool: Node 24, the tools of the lockfile and pnpm first on PATH
 * @throws {Error} when pnpm cannot be fetched or the install fails; its output has been printed
 */
export function install() {
  const digest = digestOfManifests()
  const receipt = readReceipt()
  if (receipt?.digest === digest && hasPnpm(receipt.pnpmFolder)) return environment(receipt.pnpmFolder)

  process.stderr.write('Installing what is missing (the first time about half a minute) …\n')
  const pnpmFolder = fetchPnpm()
  const env = environment(pnpmFolder)
  const run = spawnSync('pnpm', ['install', '--frozen-lockfile'], {
    cwd: root,
    env,
    shell: isWindows,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (run.status !== 0) {
    process.stderr.write(`${run.stdout ?? ''}${run.stderr ?? ''}`)
    throw new Error(`pnpm install ended with status ${run.status ?? run.error?.message}`)
  }
  mkdirSync(dirname(receiptFile), { recursive: true })
  writeFileSync(receiptFile, JSON.stringify({ digest, pnpmFolder }))
  return env
}

/** The Node that the lockfile names, whichever started this script. */
export const node = join(root, 'node_modules', 'node', 'bin', isWindows ? 'node.exe' : 'node')

function environment(pnpmFolder) {
  const path = [binaries, pnpmFolder, process.env.PATH ?? ''].join(delimiter)
  return { ...process.env, PATH: path, TURBO_TELEMETRY_DISABLED: '1' }
}

function digestOfManifests() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...manifestsIn('packages'), ...manifestsIn('apps')]) {
    hash.update(file).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

function manifestsIn(folder) {
  if (!existsSync(join(root, folder))) return []
  const manifests = readdirSync(join(root, folder)).map((name) => join(folder, name, 'package.json'))
  return manifests.filter((file) => existsSync(join(root, file))).sort()
}

function readReceipt() {
  try {
    return JSON.parse(readFileSync(receiptFile, 'utf8'))
  } catch {
    return undefined
  }
}

/** npx puts the folder of the package it was asked for on PATH; that folder stays in its cache. */
function fetchPnpm() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const arguments_ = ['--yes', '--package', packageManager, '--call', 'node -p process.env.PATH']
  const run = spawnSync('npx', arguments_, { cwd: root, shell: isWindows, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  const folder = (run.stdout ?? '').trim().split(delimiter).find(hasPnpm)
  if (run.status !== 0 || folder === undefined) throw new Error(`npx could not fetch ${packageManager}: is the package registry reachable?`)
  return folder
}

function hasPnpm(folder) {
  return existsSync(join(folder, isWindows ? 'pnpm.cmd' : 'pnpm'))
}
