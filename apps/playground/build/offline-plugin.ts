/**
 * Writes the service worker beside the page. It has to know the names of all files of the build, so it is made from a template when they
 * are known; its version is a hash of these names, which themselves change with their contents.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Plugin } from 'vite'
import { ISOLATION_HEADERS } from './isolation.ts'

const TEMPLATE = new URL('./service-worker.template.js', import.meta.url)

/** @returns  a plugin that emits `service-worker.js` */
export function offlinePage(): Plugin {
  return {
    name: 'offline-page',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const files = Object.keys(bundle).filter((name) => !name.endsWith('.map'))
        const hash = createHash('sha256')
        for (const name of files.toSorted()) {
          const output = bundle[name]
          hash.update(name).update(output === undefined ? '' : output.type === 'chunk' ? output.code : output.source)
        }
        const source = readFileSync(TEMPLATE, 'utf8')
          .replace("'FILES'", () => JSON.stringify(files.toSorted()))
          .replace('VERSION', hash.digest('hex').slice(0, 12))
          .replace("'HEADERS'", () => JSON.stringify(ISOLATION_HEADERS))
        this.emitFile({ type: 'asset', fileName: 'service-worker.js', source })
      },
    },
  }
}
