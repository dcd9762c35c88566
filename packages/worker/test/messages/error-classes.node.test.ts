import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { errorClasses } from '../../src/messages/error-classes.ts'

const packages = fileURLToPath(new URL('../../../', import.meta.url))

test('the table has every class with a code that a package exports, each under its own code', async () => {
  const found = new Map<string, string>()
  for (const name of await readdir(packages)) {
    // the command line's errors stay in its own thread
    if (name === 'cli') continue
    for (const file of await readdir(`${packages}${name}/src`, { recursive: true })) {
      if (!file.endsWith('.ts')) continue
      const text = await readFile(`${packages}${name}/src/${file}`, 'utf8')
      for (const [, type = '', code = ''] of text.matchAll(/^export class (\w+) extends [^{]*\{\s*readonly code = '([^']+)'/gm))
        found.set(code, type)
    }
  }
  expect(found.size).toBeGreaterThan(40)
  expect(Object.fromEntries([...errorClasses].map(([code, known]) => [code, known.name]))).toEqual(Object.fromEntries(found))
})
