/**
 * Keeps the page's own files, the runtime's wasm among them, so that it opens without a network; what only WebGPU needs is kept when it is
 * first used. Requests to anywhere else (the hub) pass by: weights are kept by the library, not here. Pages it serves carry the headers of cross-origin isolation, so that a host which cannot
 * send them still gives several threads from the second visit on.
 */
const CACHE = 'foretoken-playground-VERSION'
const FILES = 'FILES'
const HEADERS = 'HEADERS'
const isForWebGpu = (name) => /webgpu|asyncify/.test(name)

self.addEventListener('install', (event) => {
  event.waitUntil(keepFiles())
})

self.addEventListener('activate', (event) => {
  event.waitUntil(forgetOlderVersions().then(() => self.clients.claim()))
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method !== 'GET' || request.headers.has('range')) return
  const name = ownFile(request)
  if (name !== undefined) event.respondWith(answer(request, name))
})

/** A newer version waits until no page of the older one is open: those still ask for the older files. */
async function keepFiles() {
  const cache = await caches.open(CACHE)
  const wanted = FILES.filter((name) => !isForWebGpu(name))
  await cache.addAll(wanted.map((name) => new Request(new URL(name, self.registration.scope), { cache: 'reload' })))
}

async function forgetOlderVersions() {
  for (const name of await caches.keys()) {
    if (name.startsWith('foretoken-playground-') && name !== CACHE) await caches.delete(name)
  }
}

/** The name of the kept file that a request asks for. */
function ownFile(request) {
  const { scope } = self.registration
  const address = request.url.split(/[?#]/)[0]
  if (!address.startsWith(scope)) return undefined
  const name = address.slice(scope.length)
  if (name === '') return 'index.html'
  return FILES.includes(name) ? name : undefined
}

async function answer(request, name) {
  const cache = await caches.open(CACHE)
  const address = new URL(name, self.registration.scope).href
  const kept = await cache.match(address)
  const response = kept ?? (await fetch(request))
  if (kept === undefined && response.ok) await cache.put(address, response.clone()).catch(() => undefined)
  const headers = new Headers(response.headers)
  for (const [header, value] of Object.entries(HEADERS)) headers.set(header, value)
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers })
}
