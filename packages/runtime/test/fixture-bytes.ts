/** Fixtures in Node and in a page. */

/** The bytes at a URL made with `import.meta.url`: from the disk in Node, from the server of the tests in a page. */
export async function fixtureBytes(url: URL): Promise<Uint8Array> {
  if (url.protocol === 'file:') {
    const { readFile } = await import('node:fs/promises')
    return new Uint8Array(await readFile(url))
  }
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}
