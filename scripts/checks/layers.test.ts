/**
 * Who may import whom. The table is the design's, bottom up; the linter enforces it (an override per package in `biome.json`), and
 * these tests prove that the linter does, by showing it a file that imports everything.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readText, root, sourceFiles, workspacePackages } from '../workspace-packages.ts'

const BUILT_ON: Readonly<Record<string, readonly string[]>> = {
  tensor: [],
  runtime: ['tensor'],
  graph: ['tensor'],
  weights: ['tensor'],
  tokenizers: [],
  'kv-cache': ['tensor'],
  models: ['tensor', 'runtime', 'graph', 'weights', 'tokenizers', 'kv-cache'],
  generation: ['tensor', 'tokenizers', 'kv-cache', 'models'],
  speculative: ['tensor', 'tokenizers', 'kv-cache', 'models', 'generation'],
  worker: ['tensor', 'runtime', 'graph', 'weights', 'tokenizers', 'kv-cache', 'models', 'generation', 'speculative'],
  cli: ['tensor', 'runtime', 'graph', 'weights', 'tokenizers', 'kv-cache', 'models', 'generation', 'speculative', 'worker'],
}
const packages = workspacePackages()
const names = packages.map(({ name }) => name)

let copy = ''
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'foretoken-layers-'))
  cpSync(join(root, '.gitignore'), join(copy, '.gitignore'))
  writeFileSync(join(copy, 'biome.json'), readText('biome.json').replace(/"\$schema": "[^"]*",/, ''))
})
afterAll(() => rmSync(copy, { recursive: true }))

test('the table names every package', () => {
  expect(names.toSorted()).toEqual(Object.keys(BUILT_ON).toSorted())
})

describe.each(packages)('$name', ({ name, dependencies }) => {
  const allowed = BUILT_ON[name] ?? []

  test('the linter refuses every import but those of the packages below, by their names', () => {
    const byName = packages.flatMap((other) =>
      other.entries.map(({ specifier }) => ({ specifier, isAllowed: [name, ...allowed].includes(other.name) })),
    )
    const byPath = names.map((other) => ({ specifier: `@foretoken/${other}/src/index.ts`, isAllowed: false }))
    const wanted = [...byName, ...byPath]
    const refused = wanted.filter(({ isAllowed }) => !isAllowed).map(({ specifier }) => specifier)
    expect(
      restrictedImports(
        name,
        wanted.map(({ specifier }) => specifier),
      ),
    ).toEqual(refused.toSorted())
  })

  test('the manifest depends on packages below only', () => {
    const upward = dependencies.filter((dependency) => dependency.startsWith('@foretoken/') && !allowed.includes(dependency.slice(11)))
    expect(upward).toEqual([])
  })

  test('relative imports stay inside the package', () => {
    const leaving = sourceFiles(join(root, 'packages', name)).flatMap((path) => {
      const depth = path.split('/').length - 3
      const imports = [...readText(path).matchAll(/(?:from|import\() ?'((?:\.\.\/)+)[^']*'/g)]
      return imports.filter(([, up = '']) => up.length / 3 > depth).map(([statement]) => `${path}: ${statement}`)
    })
    expect(leaving).toEqual([])
  })
})

test('the linter refuses a cycle between two files', () => {
  const folder = join(copy, 'packages', 'tensor', 'src')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'egg.ts'), "import { hen } from './hen.ts'\n\nexport const egg = () => hen\n")
  writeFileSync(join(folder, 'hen.ts'), "import { egg } from './egg.ts'\n\nexport const hen = () => egg\n")
  expect(diagnostics(folder).map(({ category }) => category)).toContain('lint/suspicious/noImportCycles')
})

test('the linter refuses a dependency that the manifest does not declare', () => {
  const folder = join(copy, 'packages', 'tokenizers', 'src')
  mkdirSync(folder, { recursive: true })
  cpSync(join(root, 'packages/tokenizers/package.json'), join(folder, '..', 'package.json'))
  writeFileSync(join(folder, 'stray.ts'), "export { InferenceSession } from 'onnxruntime-common'\n")
  expect(diagnostics(folder).map(({ category }) => category)).toContain('lint/correctness/noUndeclaredDependencies')
})

test('tokenizers can be installed without ONNX Runtime', () => {
  expect(closure('tokenizers').filter((dependency) => dependency.startsWith('onnxruntime'))).toEqual([])
})

/** The specifiers that the linter refuses to package `name`. */
function restrictedImports(name: string, specifiers: readonly string[]): readonly string[] {
  const folder = join(copy, 'packages', name, 'test')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'everything.ts'), specifiers.map((specifier, i) => `import * as m${i} from '${specifier}'\n`).join(''))
  const lines = diagnostics(folder).filter(({ category }) => category === 'lint/style/noRestrictedImports')
  return lines.map(({ line }) => specifiers[line - 1] ?? `line ${line}`).toSorted()
}

interface Diagnostic {
  readonly category: string
  /** Counted from 1. */
  readonly line: number
}

function diagnostics(folder: string): readonly Diagnostic[] {
  const arguments_ = ['lint', '--reporter=github', '--max-diagnostics=none', folder]
  const { stdout } = spawnSync(join(root, 'node_modules/.bin/biome'), arguments_, { cwd: copy, encoding: 'utf8' })
  const found = [...stdout.matchAll(/title=([\w/]+),.*?line=(\d+)/g)]
  return found.map(([, category = '', line = '']) => ({ category, line: Number(line) }))
}

/** Everything that installing a package brings along, as far as it comes from this workspace. */
function closure(name: string): readonly string[] {
  const { dependencies = [] } = packages.find((candidate) => candidate.name === name) ?? {}
  return dependencies.flatMap((dependency) => [dependency, ...(dependency.startsWith('@foretoken/') ? closure(dependency.slice(11)) : [])])
}
