import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { load } from '../../src/platform/node.ts'
import { fixturePath } from '../fixture-path.ts'

describe('a runtime that is missing', () => {
  test('is named with its version and the command that installs it', async () => {
    const missing = load('onnxruntime-node', () =>
      Promise.reject(Object.assign(new Error("Cannot find package 'onnxruntime-node'"), { code: 'ERR_MODULE_NOT_FOUND' })),
    )
    await expect(missing).rejects.toMatchObject({ code: 'runtime-missing', found: 'no package onnxruntime-node' })
    await expect(missing).rejects.toThrow('ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@1.30.0')
    const web = load('onnxruntime-web', () => Promise.reject(Object.assign(new Error('?'), { code: 'ERR_MODULE_NOT_FOUND' })))
    await expect(web).rejects.toThrow(/run `npm install onnxruntime-web@1\.30\.0`/)
  })

  test('is told apart from one that does not load on this machine', async () => {
    const broken = load('onnxruntime-node', () => Promise.reject(new Error('libonnxruntime.so.1: cannot open shared object file')))
    await expect(broken).rejects.toMatchObject({ code: 'runtime-missing' })
    await expect(broken).rejects.toThrow(/does not load \(libonnxruntime\.so\.1/)
  })

  test('has the version that the package names as its peer', () => {
    const manifest: { peerDependencies: Record<string, string> } = createRequire(import.meta.url)('../../package.json')
    expect(manifest.peerDependencies).toEqual({ 'onnxruntime-node': '1.30.0', 'onnxruntime-web': '1.30.0' })
  })
})

describe.each(['loadRuntime', 'loadWasmRuntime'])('a program that uses %s', (loader) => {
  test('prints nothing even when a run fails, and ends by itself', async () => {
    const args = ['--conditions=foretoken-source', fixturePath('failing-run.mjs'), loader]
    const run = promisify(execFile)(process.execPath, args, { timeout: 20_000 })
    await expect(run).rejects.toMatchObject({ code: 7, stdout: '', stderr: '' })
  })
})
