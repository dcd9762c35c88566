import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { VERSION } from '../src/version.ts'

test('the version is that of package.json', async () => {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
  expect(VERSION).toBe(version)
})

test('the program that is installed can be executed, and starts what is built', async () => {
  const bin = new URL('../bin/foretoken.mjs', import.meta.url)
  expect(await readFile(bin, 'utf8')).toBe("#!/usr/bin/env node\nimport '../dist/main.js'\n")
})
