import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { serveFolders } from '../../src/web/static-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'served-'))
afterAll(() => rmSync(folder, { recursive: true }))
for (const name of ['page', 'models']) mkdirSync(join(folder, name))
writeFileSync(join(folder, 'page', 'index.html'), '<p>page</p>')
writeFileSync(join(folder, 'models', 'a.gguf'), 'weights')
writeFileSync(join(folder, 'secret'), 'secret')

/** `fetch` would tidy the address. */
function statusOf(origin: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(origin, { path }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('files come with the headers of an isolated page, by the folder that an address begins with', async () => {
  await using server = await serveFolders({ '': join(folder, 'page'), models: join(folder, 'models') })
  const page = await fetch(`${server.origin}/`)
  expect(await page.text()).toBe('<p>page</p>')
  expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin')
  expect(page.headers.get('cross-origin-embedder-policy')).toBe('require-corp')
  expect(await (await fetch(`${server.origin}/models/a.gguf`)).text()).toBe('weights')
})

test('nothing outside of the folders is served', async () => {
  await using server = await serveFolders({ '': join(folder, 'page'), models: join(folder, 'models') })
  for (const path of ['/../secret', '/models/../secret', '/models/..%2fsecret', '/models/%2e%2e/secret', '/models', '/missing', '/%ff']) {
    expect(await statusOf(server.origin, path), path).toBe(404)
  }
})
