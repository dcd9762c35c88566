import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ForetokenError } from '@foretoken/tensor'
import { decodeToFloat32, openGguf, openSafetensors } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { watchedSource } from './builders/watched-source.ts'

const folder = new URL('./corpus/', import.meta.url)

describe('an input of the corpus is read or refused', () => {
  for (const name of readdirSync(folder).filter((name) => !name.endsWith('.md'))) {
    test(name, async () => {
      const bytes = new Uint8Array(readFileSync(fileURLToPath(new URL(name, folder))))
      const source = watchedSource(bytes, name)
      try {
        await using store = await (name.endsWith('.gguf') ? openGguf(source) : openSafetensors(source))
        for (const tensor of store.tensors.keys()) decodeToFloat32(await store.read(tensor))
      } catch (error) {
        if (!(error instanceof ForetokenError)) throw error
      }
      expect(source.disposals()).toBe(1)
      expect(source.readBytes()).toBeLessThanOrEqual(3 * bytes.byteLength)
    })
  }
})
