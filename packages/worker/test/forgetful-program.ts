/** A program that does not dispose of its model. */
import { stdout } from 'node:process'
import { loadInWorker } from '@foretoken/worker'
import { tinyModel } from './tiny-model.ts'

const model = await loadInWorker(tinyModel(), { format: 'f32', threads: 1 })
const { ids } = await model.generateText({ prompt: 'Once', maxNewTokens: 2 })
stdout.write(`${ids.length} tokens\n`)
