import { expect, test } from 'vitest'
import { transferRate } from '../../src/hub/transfer-rate.ts'

test('the rate is bytes over the time since the start, at most three seconds', () => {
  let nowMs = 0
  const rate = transferRate(() => nowMs)
  expect(rate.bytesPerSecond()).toBe(0)
  nowMs = 1000
  rate.add(500)
  expect(rate.bytesPerSecond()).toBe(500)
  nowMs = 2000
  rate.add(1500)
  expect(rate.bytesPerSecond()).toBe(1000)
})

test('what is older than three seconds is forgotten', () => {
  let nowMs = 0
  const rate = transferRate(() => nowMs)
  rate.add(1_000_000)
  nowMs = 10_000
  rate.add(3000)
  expect(rate.bytesPerSecond()).toBe(1000)
})
