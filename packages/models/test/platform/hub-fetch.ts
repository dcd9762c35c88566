/** `fetch` of a hub that holds one repository, `tests/tiny`; its hashes come from Web Cryptography. */

const COMMIT = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00'

/** @param requests  is given the path of each file that is asked for */
export function hubFetch(files: ReadonlyMap<string, Blob>, requests: string[]): typeof globalThis.fetch {
  return async (input) => {
    const { pathname } = new URL(String(input))
    if (pathname === '/api/models/tests/tiny/revision/main') return Response.json({ sha: COMMIT })
    if (pathname === `/api/models/tests/tiny/tree/${COMMIT}`) return Response.json(await Promise.all([...files].map(listed)))
    const path = pathname.slice(`/tests/tiny/resolve/${COMMIT}/`.length)
    const file = files.get(path)
    requests.push(path)
    return file === undefined ? new Response('no', { status: 404 }) : new Response(file)
  }
}

async function listed([path, blob]: [string, Blob]) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))
  const oid = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return { type: 'file', path, size: blob.size, oid: 'a'.repeat(40), lfs: { oid, size: blob.size } }
}
