/** House rules that the linter has no rule for. What it does check (`any`, `!`, console, default exports) is in `biome.json`. */
import { basename, join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readText, root, sourceFiles, workspacePackages } from '../workspace-packages.ts'

const LONGEST_FILE = 400
const DRAWERS = new Set(['utils.ts', 'util.ts', 'helpers.ts', 'helper.ts', 'common.ts', 'misc.ts', 'shared.ts', 'types.ts'])
// Split here, so that this file does not hold what it looks for.
const UNFINISHED = new RegExp(`\\b(${['TO-DO', 'FIX-ME', 'XX-X', 'HA-CK'].map((word) => word.replace('-', '')).join('|')})\\b`)
const FORBIDDEN_SUPPRESSION = /@ts-(ignore|nocheck)\b/
const REEXPORT = /^export (type )?(\*|\{[^}]*\}) from '\.\.?\//m

describe.each(workspacePackages())('$name', ({ name, folder, entries }) => {
  const contentsPages = entries.map(({ source }) => posix.join('packages', name, source))
  const sources = sourceFiles(join(folder, 'src'))
  const all = sourceFiles(folder)

  test('no file is a drawer for what has no name', () => {
    expect(all.filter((path) => DRAWERS.has(basename(path)))).toEqual([])
  })

  test(`no source file is longer than ${LONGEST_FILE} lines`, () => {
    const lengths = sources.map((path) => ({ path, lines: readText(path).split('\n').length - 1 }))
    expect(lengths.filter(({ lines }) => lines > LONGEST_FILE)).toEqual([])
  })

  test('no file announces unfinished work', () => {
    expect(all.filter((path) => UNFINISHED.test(readText(path)))).toEqual([])
  })

  test('no file silences the compiler', () => {
    expect(all.filter((path) => FORBIDDEN_SUPPRESSION.test(readText(path)))).toEqual([])
  })

  test('only contents pages and the two sides of #platform re-export', () => {
    const others = sources.filter((path) => !contentsPages.includes(path) && !path.includes('/src/platform/'))
    expect(others.filter((path) => REEXPORT.test(readText(path)))).toEqual([])
  })

  test.each(contentsPages)('%s holds nothing but re-exports under headings', (path) => {
    const rest = readText(path)
      .replace(/\/\*\*.*?\*\//gs, '')
      .replace(/^export (type )?\{[^}]*\} from '[^']+'$/gm, '')
    expect(rest.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('//'))).toEqual([])
  })
})

test('scripts announce no unfinished work', () => {
  expect(sourceFiles(join(root, 'scripts')).filter((path) => UNFINISHED.test(readText(path)))).toEqual([])
})
