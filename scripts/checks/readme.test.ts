/** A package's README: its parts, and a snippet that is the same text as the one that runs in the package's tests. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readText, root, workspacePackages } from '../workspace-packages.ts'

describe.each(workspacePackages())('$name', ({ name }) => {
  const readme = () => readText(`packages/${name}/README.md`)
  const tests = ['readme.test.ts', 'readme.node.test.ts'].map((file) => `packages/${name}/test/${file}`)

  test('the README opens with the name and says how to install', () => {
    expect(readme().split('\n')[0]).toBe(`# @foretoken/${name}`)
    expect(readme()).toMatch(new RegExp(`npm (i|install|exec) .*@foretoken/${name}\\b|npx .*@foretoken/${name}\\b`))
  })

  test("the README's snippet is the one that runs in a test", () => {
    expect(firstSnippet(readme())).toBe(snippetInTest(tests))
  })
})

test("the root README's snippet is the one that runs in a test", () => {
  expect(withoutImports(firstSnippet(readText('README.md')))).toBe(snippetInTest(['scripts/checks/root-readme.test.ts']))
})

function firstSnippet(readme: string): string {
  const snippet = /^```ts\n(.*?)^```/ms.exec(readme)?.[1]
  if (snippet === undefined || snippet.trim() === '') throw new Error('found no snippet of TypeScript, expected one')
  return withoutIndent(snippet)
}

/** A snippet inside of a test cannot import; its imports stand at the top of the test file. */
function withoutImports(snippet: string): string {
  return snippet.replace(/^import .*\n+/gm, '')
}

/** The lines between `// readme:start` and `// readme:end`. */
function snippetInTest(candidates: readonly string[]): string {
  const path = candidates.find((candidate) => existsSync(join(root, candidate)))
  if (path === undefined) throw new Error(`found none of ${candidates.join(', ')}`)
  return withoutIndent(/\/\/ readme:start\n(.*?)^\s*\/\/ readme:end/ms.exec(readText(path))?.[1] ?? '')
}

function withoutIndent(text: string): string {
  const lines = text.replace(/\s+$/, '').split('\n')
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length)
  const indent = Math.min(...indents)
  return lines.map((line) => line.slice(indent).trimEnd()).join('\n')
}
