import { ForetokenError } from '@foretoken/tensor'
import { openGguf, openSafetensors } from '@foretoken/weights'
import { expect } from 'vitest'
import { watchedSource } from './watched-source.ts'

/** The error that a call ends with; fails when it does not, or when it is none of ours. */
export async function refusalOf(call: Promise<unknown>): Promise<ForetokenError> {
  const outcome = await call.then(
    () => 'no error',
    (error: unknown) => error,
  )
  expect(outcome).toBeInstanceOf(ForetokenError)
  if (outcome instanceof ForetokenError) return outcome
  throw new TypeError('not reached')
}

/** How opening broken bytes ends: an error of the format, and the source closed. */
export async function refusedSafetensors(bytes: Uint8Array): Promise<ForetokenError> {
  const source = watchedSource(bytes, 'broken.safetensors')
  const error = await refusalOf(openSafetensors(source))
  expect(error.code).toBe('weights-format')
  expect(source.disposals()).toBe(1)
  expect(error.where.file).toBe('broken.safetensors')
  expect(error.message.length).toBeLessThan(2000)
  return error
}

export async function refusedGguf(bytes: Uint8Array): Promise<ForetokenError> {
  const source = watchedSource(bytes, 'broken.gguf')
  const error = await refusalOf(openGguf(source))
  expect(['weights-format', 'unsupported-encoding']).toContain(error.code)
  expect(source.disposals()).toBe(1)
  expect(error.where.file).toBe('broken.gguf')
  expect(error.message.length).toBeLessThan(2000)
  return error
}
