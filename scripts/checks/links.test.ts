/** The map stays true: whatever a document of the repository links to is there. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { readText, root, workspacePackages } from '../workspace-packages.ts'

const readmes = workspacePackages().map(({ name }) => `packages/${name}/README.md`)
const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...readmes]

test.each(documents.filter((document) => existsSync(join(root, document))))('%s links to files that exist', (document) => {
  const targets = [...readText(document).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target)
  const files = targets.filter((target) => !/^[a-z]+:/.test(target))
  expect(files.filter((target) => !existsSync(join(root, dirname(document), target)))).toEqual([])
})
