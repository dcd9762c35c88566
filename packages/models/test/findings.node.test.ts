import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type LoadOptions, loadCausalLM, type Plan } from '../src/index.ts'
import { checkpointFixture } from './checkpoint-fixture.ts'

const root = await mkdtemp(join(tmpdir(), 'findings-'))
afterAll(() => rm(root, { recursive: true, force: true }))
let folders = 0

const { folder } = await checkpointFixture('llama')

/** A folder for converted weights, and the plan of a model that was opened with it. */
function startsWith() {
  const convertedFolder = join(root, `${folders++}`)
  const file = async () => {
    const [key = ''] = await readdir(convertedFolder)
    const [name = ''] = (await readdir(join(convertedFolder, key))).filter((each) => each.endsWith('.json'))
    return join(convertedFolder, key, name)
  }
  return {
    convertedFolder,
    file,
    async start(options: LoadOptions = {}): Promise<Plan> {
      await using lm = await loadCausalLM(folder, { format: 'f32', convertedFolder, threads: 1, ...options })
      return lm.plan
    },
    /** Changes the file of findings. */
    async edit(change: (text: string) => string): Promise<void> {
      const path = await file()
      await writeFile(path, change(await readFile(path, 'utf8')))
    },
  }
}

const asNotExact = (text: string) => text.replace('"exact": true', '"exact": false, "note": "an earlier start said so"')

test('a later start finds the verdict and the step times of the first', async () => {
  const { start, edit } = startsWith()
  const first = await start()
  expect(first.exact).toBe(true)
  expect(first.stepTimes?.map(({ rows }) => rows)).toEqual(expect.arrayContaining([1, 2, 4, 8, 16, 32]))
  // times of a busy machine would not be kept: the file gets some that no start measures
  const stepTimes = [{ context: 16, rows: 1, stepMs: 12345, samples: 7 }]
  await edit((text) => asNotExact(JSON.stringify({ ...JSON.parse(text), stepTimes }, null, 2)))
  const second = await start()
  expect(second.exact).toBe(false)
  expect(second.notes).toContain('not exact: an earlier start said so')
  expect(second.stepTimes).toEqual(stepTimes)
})

test.each([
  ['of another machine', (text: string) => asNotExact(text).replace('onnxruntime-node', 'onnxruntime-other')],
  ['cut short', (text: string) => asNotExact(text).slice(0, -20)],
  ['with something else in it', () => '[1, 2, 3]'],
  ['with a verdict that is none', (text: string) => text.replace('"exact": true', '"exact": "yes"')],
])('a file %s is ignored and written anew', async (_, damage) => {
  const { start, edit, file } = startsWith()
  await start()
  await edit(damage)
  expect((await start()).exact).toBe(true)
  expect(JSON.parse(await readFile(await file(), 'utf8'))).toMatchObject({ selfTest: { exact: true } })
  expect((await start()).exact).toBe(true)
})

test('other threads have findings of their own', async () => {
  const { start, edit } = startsWith()
  await start()
  await edit(asNotExact)
  expect((await start({ threads: 2 })).exact).toBe(true)
  expect((await start()).exact).toBe(false)
})

test('nothing is kept without a folder, and steps are not timed at every start then', async () => {
  await using lm = await loadCausalLM(folder, { format: 'f32' })
  expect(lm.plan.exact).toBe(true)
  expect(lm.plan.stepTimes).toBeUndefined()
})

test('several starts at once leave one whole file', async () => {
  const { start, file } = startsWith()
  const plans = await Promise.all([start(), start(), start()])
  expect(plans.map(({ exact }) => exact)).toEqual([true, true, true])
  expect(JSON.parse(await readFile(await file(), 'utf8'))).toMatchObject({ selfTest: { exact: true } })
  expect((await readdir(join(await file(), '..'))).filter((name) => name.startsWith('.'))).toEqual([])
})

test('without the self-test nothing is claimed, whatever was found before', async () => {
  const { start } = startsWith()
  await start()
  const plan = await start({ selfTest: false })
  expect(plan.exact).toBe(false)
  expect(plan.notes).toContain('not exact: the self-test was switched off')
})
