import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { KNOWN_FAILURES } from '../../src/lib/describe-failure.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

test('every code that the page explains is one that an error of the packages or of the page has', () => {
  const folders = [
    ...readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name, 'src')),
    join(root, 'apps/playground/src'),
  ]
  const sources = folders.flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
  const codes = sources
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/readonly code = '([\w-]+)'/g)].map(([, code]) => code))
  expect([...KNOWN_FAILURES.keys()].filter((code) => !codes.includes(code))).toEqual([])
})
