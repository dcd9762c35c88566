import { expect, test } from 'vitest'
import { fileSource, kindOfPath, namesInFolder, pathInFolder, splitPath } from '../../src/platform/web.ts'
import { refusalOf } from '../builders/refusal.ts'

test('without a file system every path is refused, with the names of what to use instead', async () => {
  for (const use of [fileSource, kindOfPath, namesInFolder, async () => pathInFolder('/a', 'b'), async () => splitPath('/a/b')]) {
    const error = await refusalOf(use('/a/b'))
    expect(error.code).toBe('platform')
    expect(error.message).toMatch(/blobSource.*httpSource/)
  }
})
