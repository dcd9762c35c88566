/**
 * What a package exports, one line per name: its kind and its name, sorted. Read from the declarations that the build emitted,
 * so it is what users can import. The lists are committed as `api/NAME.txt`: a name that comes or goes shows in a review.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { WorkspacePackage } from './workspace-packages.ts'

const REEXPORT = /^export (?:type )?\{([^}]*)\} from '([.#][^']+)';/gm
const FOREIGN_REEXPORT = /^export (?:type )?\{([^}]*)\} from '([^.#'][^']*)';/gm
const DECLARATION = /^export declare (?:abstract )?(?:async )?(class|function\*?|const|let|enum|type|interface) (\w+)/gm
const PLAIN_TYPE = /^export (type|interface) (\w+)/gm

/** @throws {Error} when the package has not been built */
export function publicApi({ folder, entries }: WorkspacePackage): string {
  const parts = entries.map(({ specifier, built }) => {
    const lines = [...exportsOf(join(folder, built))].map(([exported, kind]) => `${kind} ${exported}`)
    return [specifier, ...lines.sort(), ''].join('\n')
  })
  return parts.join('\n')
}

/** Exported names of a declaration file, with their kinds. */
function exportsOf(file: string): Map<string, string> {
  const text = readDeclarations(file)
  const found = new Map<string, string>()
  for (const [, kind = '', name = ''] of [...text.matchAll(DECLARATION), ...text.matchAll(PLAIN_TYPE)]) found.set(name, kind)
  for (const [, names = '', target = ''] of text.matchAll(REEXPORT)) {
    const origin = exportsOf(locate(file, target))
    for (const [imported, exported] of specifiers(names)) {
      const kind = origin.get(imported)
      if (kind === undefined) throw new Error(`${file}: found no declaration of ${imported} in ${target}`)
      found.set(exported, kind)
    }
  }
  for (const [, names = '', target = ''] of text.matchAll(FOREIGN_REEXPORT)) {
    for (const [, exported] of specifiers(names)) found.set(exported, `from ${target}`)
  }
  return found
}

/** `#platform` is the one target that differs between runtimes; both sides declare the same names. */
function locate(file: string, target: string): string {
  return target.startsWith('#') ? join(dirname(file), target.slice(1), 'node.d.ts') : join(dirname(file), target)
}

/** `a, type b as c` is [[a, a], [b, c]]. */
function specifiers(names: string): readonly (readonly [string, string])[] {
  const parts = names.split(',').map((part) => part.trim().replace(/^type /, ''))
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      const [imported = '', exported = imported] = part.split(' as ')
      return [imported, exported]
    })
}

function readDeclarations(file: string): string {
  const path = file.replace(/(?:\.d)?\.[jt]s$/, '.d.ts')
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`${path}: found no declarations, expected a built package (pnpm build)`, { cause })
  }
}
