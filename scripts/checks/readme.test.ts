/** A package's README: its parts, and a snippet that is the same text as the one that runs in the package's tests. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readText, root, workspacePackages } from '../workspace-packages.ts'

describe.each(workspacePackages())('$name', ({ name }) => {
  const readme = () => readText(`packages/${name}/README.md`)

  test('the README opens with the name and says how to install', () => {
    expect(readme().split('\n')[0]).toBe(`# @foretoken/${name}`)
    expect(readme()).toMatch(new RegExp(`npm (i|install|exec) .*@foretoken/${name}\\b|npx .*@foretoken/${name}\\b`))
  })

  test("the README's snippet is the one that runs in a test", () => {
    const snippet = /^```ts\n(.*?)^```/ms.exec(readme())?.[1] ?? ''
    expect(snippet.trim()).not.toBe('')
    expect(withoutIndent(snippet)).toBe(withoutIndent(snippetInTest(name)))
  })
})

/** The lines between `// readme:start` and `// readme:end`. */
function snippetInTest(name: string): string {
  const candidates = ['readme.test.ts', 'readme.node.test.ts'].map((file) => `packages/${name}/test/${file}`)
  const path = candidates.find((candidate) => existsSync(join(root, candidate)))
  if (path === undefined) throw new Error(`found none of ${candidates.join(', ')}`)
  return /\/\/ readme:start\n(.*?)^\s*\/\/ readme:end/ms.exec(readText(path))?.[1] ?? ''
}

function withoutIndent(text: string): string {
  const lines = text.replace(/\s+$/, '').split('\n')
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length)
  const indent = Math.min(...indents)
  return lines.map((line) => line.slice(indent).trimEnd()).join('\n')
}
