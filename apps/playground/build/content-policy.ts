/**
 * The content security policy of the built page, as a meta element, since static hosts send no headers. Scripts and workers come from the
 * page itself, wasm may be compiled, and weights may be fetched from any https address: hubs redirect to their delivery networks.
 */
import type { Plugin } from 'vite'

const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self' https: http://localhost:* http://127.0.0.1:* blob: data:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/** @returns  a plugin that puts the policy into `index.html` of a build */
export function contentPolicy(): Plugin {
  return {
    name: 'content-policy',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: () => [{ tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY }, injectTo: 'head-prepend' }],
    },
  }
}
