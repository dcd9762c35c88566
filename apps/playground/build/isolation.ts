/**
 * What a page needs to be cross-origin isolated, and so to compute on several threads. Servers send it as headers; the service worker adds
 * it where a host cannot.
 */
export const ISOLATION_HEADERS: Readonly<Record<string, string>> = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}
