/** The packages of the workspace as the checks see them: a folder, and what its manifest says. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = dirname(dirname(fileURLToPath(import.meta.url)))

export interface WorkspacePackage {
  /** Without the scope: the name of its folder. */
  readonly name: string
  readonly version: string
  readonly folder: string
  /** What can be imported, `@foretoken/NAME` first. */
  readonly entries: readonly PackageEntry[]
  /** Names in `dependencies` and `peerDependencies`. */
  readonly dependencies: readonly string[]
}

export interface PackageEntry {
  /** `@foretoken/NAME` or `@foretoken/NAME/SUBPATH`. */
  readonly specifier: string
  /** The contents page, from the folder of the package: `./src/index.ts`. */
  readonly source: string
  /** The built file, from the folder of the package: `./dist/index.js`. */
  readonly built: string
}

export function workspacePackages(): readonly WorkspacePackage[] {
  const names = readdirSync(join(root, 'packages')).sort()
  return names.map((name) => {
    const folder = join(root, 'packages', name)
    const manifest = fieldsOf(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))
    return {
      name,
      version: String(manifest.get('version')),
      folder,
      entries: entriesOf(name, fieldsOf(manifest.get('exports'))),
      dependencies: [...fieldsOf(manifest.get('dependencies')).keys(), ...fieldsOf(manifest.get('peerDependencies')).keys()],
    }
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

function entriesOf(name: string, exported: ReadonlyMap<string, unknown>): readonly PackageEntry[] {
  return [...exported].map(([subpath, conditions]) => ({
    specifier: `@foretoken/${name}${subpath.slice(1)}`,
    source: String(fieldsOf(conditions).get('foretoken-source')),
    built: String(fieldsOf(conditions).get('default')),
  }))
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : [])
}
