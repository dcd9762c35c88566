import { expect, test } from 'vitest'
import { createInterruption, terminated } from '../src/interruption.ts'

test('Ctrl-C that nobody took aborts with 130', () => {
  const interruption = createInterruption()
  interruption.interrupt()
  expect(interruption.signal.reason).toMatchObject({ status: 130 })
})

test('the last who took Ctrl-C gets it, and gives it back', () => {
  const interruption = createInterruption()
  const heard: string[] = []
  const releaseFirst = interruption.take(() => heard.push('first'))
  const releaseSecond = interruption.take(() => heard.push('second'))
  interruption.interrupt()
  releaseSecond()
  interruption.interrupt()
  releaseFirst()
  expect(heard).toEqual(['second', 'first'])
  expect(interruption.signal.aborted).toBe(false)
  interruption.interrupt()
  expect(interruption.signal.aborted).toBe(true)
})

test('an end cannot be taken', () => {
  const interruption = createInterruption()
  interruption.take(() => undefined)
  interruption.end(terminated())
  expect(interruption.signal.reason).toMatchObject({ status: 143 })
})
