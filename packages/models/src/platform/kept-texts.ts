/** Small texts beside converted weights. They save time and nothing else, so a disk that refuses them is no error. */
import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeptTexts } from '../stored-model.ts'

export function keptTexts(folder: string): KeptTexts {
  return {
    read: (name) => readFile(join(folder, name), 'utf8').catch(() => undefined),
    async write(name, text) {
      // renamed into place: whoever reads it at the same time sees the old text or the new one
      const draft = join(folder, `.${name}-${randomUUID()}`)
      try {
        await writeFile(draft, text)
        await rename(draft, join(folder, name))
      } catch {
        await rm(draft, { force: true }).catch(() => undefined)
      }
    },
  }
}
