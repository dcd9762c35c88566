/** The packages of the workspace as the checks see them: a folder, and what its manifest says. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = dirname(dirname(fileURLToPath(import.meta.url)))

export interface WorkspacePackage {
  /** Without the scope: the name of its folder. */
  readonly name: string
  readonly folder: string
  /** Names in `dependencies` and `peerDependencies`. */
  readonly dependencies: readonly string[]
}

export function workspacePackages(): readonly WorkspacePackage[] {
  const names = readdirSync(join(root, 'packages')).sort()
  return names.map((name) => {
    const folder = join(root, 'packages', name)
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return { name, folder, dependencies: [...keysOf(manifest, 'dependencies'), ...keysOf(manifest, 'peerDependencies')] }
  })
}

/**
 * The TypeScript files below a folder, fixtures and generated code left out.
 *
 * @returns paths from the root, with forward slashes, sorted
 */
export function sourceFiles(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  const paths = files.map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
  return paths.filter((path) => !/\/(node_modules|dist|fixtures|generated)\//.test(path)).sort()
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

function keysOf(manifest: unknown, field: string): readonly string[] {
  if (typeof manifest !== 'object' || manifest === null) return []
  const value: unknown = Object.entries(manifest).find(([key]) => key === field)?.[1]
  return typeof value === 'object' && value !== null ? Object.keys(value) : []
}
