import { expect, test } from 'vitest'
import { generateText } from '../src/generate.ts'
import { score } from '../src/score.ts'
import { fakeModel } from './fake-model.ts'
