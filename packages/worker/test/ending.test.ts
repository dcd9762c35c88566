/** How a worker ends: asked to, on its own, or before it began. */
import { DisposedError, ForetokenError } from '@foretoken/tensor'
import { WeightsFormatError } from '@foretoken/weights'
import { loadInWorker, UnsendableError, WorkerCrashedError, type WorkerLike, WorkerProtocolError } from '@foretoken/worker'
import { expect, test } from 'vitest'
import { hosted, workerOfSources } from './both-sides.ts'
import { tinyModel } from './tiny-model.ts'

test('disposal ends what is under way with DisposedError, and later calls as well', async () => {
  const model = await hosted()
  const conversation = await model.openConversation()
  const pieces = model.generate({ prompt: 'Once', stopTokens: [], maxNewTokens: 1000, conversation })[Symbol.asyncIterator]()
  await pieces.next()
  const scoring = model.score({ prompt: 'x'.repeat(1000), rows: 1 })
  const reading = (async () => {
    while ((await pieces.next()).done !== true);
  })()
  const outcomes = Promise.allSettled([scoring, reading])
  await model[Symbol.asyncDispose]()
  await model[Symbol.asyncDispose]()
  for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'disposed' } })
  await expect(model.memory()).rejects.toThrow(DisposedError)
  await expect(model.generateText({ prompt: 'x' })).rejects.toThrow(DisposedError)
  await conversation[Symbol.asyncDispose]()
  expect(await model.ended).toBeUndefined()
})

test('a worker that is killed rejects what waits and what comes later with WorkerCrashedError, and the model loads again', async () => {
  const make = await workerOfSources()
  const workers: WorkerLike[] = []
  const worker = () => {
    const made = make()
    workers.push(made)
    return made
  }
  const model = await hosted(tinyModel(), { worker })
  const conversation = await model.openConversation()
  const reading = model.generateText({ prompt: 'Once', stopTokens: [], maxNewTokens: 2000, conversation })
  const scoring = model.score({ prompt: 'x'.repeat(1000), rows: 1 })
  const outcomes = Promise.allSettled([reading, scoring])
  workers[0]?.terminate()
  for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'worker-crashed' } })
  expect(await model.ended).toBeInstanceOf(WorkerCrashedError)
  await expect(model.memory()).rejects.toThrow(WorkerCrashedError)
  await expect(conversation.tokens()).rejects.toThrow(WorkerCrashedError)
  await conversation[Symbol.asyncDispose]()
  await model[Symbol.asyncDispose]()

  await using again = await hosted(tinyModel(), { worker })
  expect((await again.generateText({ prompt: 'Once', maxNewTokens: 2 })).ids).toHaveLength(2)
})

test('a file that is no model is the error of one thread, with the place', async () => {
  const broken = new TextEncoder().encode('GGUF but not for long')
  await expect(hosted(broken)).rejects.toThrow(WeightsFormatError)
  await expect(hosted(new Blob(['nothing of the kind']))).rejects.toMatchObject({ code: 'weights-format', where: { file: 'model.gguf' } })
  const files = tinyModel()
  files.delete('config.json')
  await expect(hosted(files)).rejects.toMatchObject({ code: 'model-config', found: 'no config.json' })
  const cutOff = tinyModel()
  const weights = cutOff.get('model.safetensors')
  cutOff.set('model.safetensors', weights?.slice(0, 4000) ?? new Uint8Array())
  await expect(hosted(cutOff)).rejects.toMatchObject({ code: 'weights-format', where: { file: 'model.safetensors' } })
  const twice = [new File(['{}'], 'config.json'), new File(['{}'], 'config.json')]
  await expect(hosted(twice)).rejects.toMatchObject({ code: 'argument', found: 'two files of this name', where: { file: 'config.json' } })
  await expect(hosted(new Map([['model.onnx', new Uint8Array(8)]]))).rejects.toThrow(ForetokenError)
  await expect(hosted(tinyModel(), { threads: -1 })).rejects.toMatchObject({ code: 'argument', where: { field: 'threads' } })
})

test('what cannot be sent is refused before a worker is made', async () => {
  const worker = () => {
    throw new Error('a worker was made')
  }
  const wrong = (source: unknown) => loadInWorker(JSON.parse('[]').concat(source)[0], { worker })
  await expect(wrong(7)).rejects.toThrow(UnsendableError)
  await expect(wrong({ weights: 1 })).rejects.toThrow(UnsendableError)
  await expect(wrong(new URL('blob:nodedata:1'))).rejects.toThrow(UnsendableError)
  await expect(loadInWorker(new Map(), { worker })).rejects.toThrow(UnsendableError)
  const options = { worker, adapters: [{ path: 'x', onLoad: () => undefined }] }
  await expect(loadInWorker('x', options)).rejects.toThrow('options.adapters[0].onLoad')
  await expect(loadInWorker('x', { worker, piecesAhead: -1 })).rejects.toMatchObject({ where: { field: 'piecesAhead' } })
  await expect(loadInWorker('x', { worker })).rejects.toThrow(WorkerCrashedError)
})

test('something that is no worker is refused', async () => {
  let isEnded = false
  const worker = () => ({ postMessage: () => undefined, terminate: () => (isEnded = true) })
  await expect(loadInWorker('x', { worker })).rejects.toThrow(WorkerProtocolError)
  expect(isEnded).toBe(true)
})

test('bytes that fill their buffer move to the worker, others are copied', async () => {
  const files = tinyModel()
  const [config] = [files.get('config.json')]
  const padded = new Uint8Array((config?.length ?? 0) + 1)
  padded.set(config ?? [])
  files.set('config.json', padded.subarray(0, -1))
  const weights = files.get('model.safetensors')
  await using _ = await hosted(files)
  expect(weights?.byteLength).toBe(0)
  expect(padded.byteLength).toBeGreaterThan(1)
})

test('files load as blobs, and their folders are left out', async () => {
  const blobs = new Map([...tinyModel()].map(([name, bytes]) => [`some/folder/${name}`, new Blob([bytes])]))
  await using model = await hosted(blobs)
  const files = [...tinyModel()].map(([name, bytes]) => new File([bytes], name))
  await using again = await hosted(files)
  const options = { prompt: 'Once', maxNewTokens: 4 }
  expect((await again.generateText(options)).ids).toEqual((await model.generateText(options)).ids)
})

test('the progress of loading is told, and an abort of it rejects with its own reason', async () => {
  const phases = new Set<string>()
  const controller = new AbortController()
  const reason = new Error('changed my mind')
  const loading = hosted(tinyModel(), {
    signal: controller.signal,
    onProgress: ({ phase }) => {
      phases.add(phase)
      controller.abort(reason)
    },
  })
  await expect(loading).rejects.toBe(reason)
  expect([...phases]).toEqual(['convert'])
  await expect(hosted(tinyModel(), { signal: AbortSignal.abort('before') })).rejects.toBe('before')
})
