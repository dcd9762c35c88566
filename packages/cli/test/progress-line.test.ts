import { expect, test } from 'vitest'
import { formatBytes, formatDuration, type ProgressStream, progressLine } from '../src/progress-line.ts'

function recorded(facts: { isTTY?: boolean; columns?: number } = {}): ProgressStream & { readonly written: string[] } {
  const written: string[] = []
  return { ...facts, written, write: (text: string) => written.push(text) }
}

const CLEAR = '\u001b[K'

test('on a terminal one line is rewritten, with bar, bytes, percent, rate and remaining time', () => {
  const stream = recorded({ isTTY: true, columns: 120 })
  const line = progressLine(stream, () => 0)
  line.show({ label: 'model.gguf', receivedBytes: 25_000_000, totalBytes: 100_000_000, bytesPerSecond: 10_000_000 })
  line.end()
  const text = 'model.gguf  [=====               ]  25.0 MB of 100.0 MB  25 %  10.0 MB/s  8 s left'
  expect(stream.written).toEqual([`\r${text}${CLEAR}`, `\r${text}${CLEAR}`, '\n'])
})

test('a narrow terminal never gets a line that wraps', () => {
  for (let columns = 21; columns < 110; columns++) {
    const stream = recorded({ isTTY: true, columns })
    const line = progressLine(stream, () => 0)
    line.show({
      label: 'organisation/name model-00001-of-00002.safetensors',
      receivedBytes: 1,
      totalBytes: 2_000_000_000,
      bytesPerSecond: 1,
    })
    const shown = (stream.written[0] ?? '').replace('\r', '').replace(CLEAR, '')
    expect(shown.length).toBeLessThan(columns)
    expect(shown).toContain('1 B of 2.0 GB')
  }
})

test('a terminal is not rewritten for every chunk, but for every new label and at the end', () => {
  let nowMs = 0
  const stream = recorded({ isTTY: true, columns: 80 })
  const line = progressLine(stream, () => nowMs)
  for (let receivedBytes = 0; receivedBytes < 100; receivedBytes++)
    line.show({ label: 'a', receivedBytes, totalBytes: 100, bytesPerSecond: 0 })
  expect(stream.written).toHaveLength(1)
  nowMs = 100
  line.show({ label: 'a', receivedBytes: 50, totalBytes: 100, bytesPerSecond: 0 })
  line.show({ label: 'b', receivedBytes: 1, totalBytes: 100, bytesPerSecond: 0 })
  line.show({ label: 'b', receivedBytes: 100, totalBytes: 100, bytesPerSecond: 0 })
  expect(stream.written).toHaveLength(3)
  line.end()
  expect(stream.written.at(-2)).toContain('100 %')
  expect(stream.written.at(-1)).toBe('\n')
  line.end()
  expect(stream.written).toHaveLength(5)
})

test('a log gets a line for each tenth of each label', () => {
  const stream = recorded()
  const line = progressLine(stream)
  for (let receivedBytes = 0; receivedBytes <= 1000; receivedBytes++)
    line.show({ label: 'a', receivedBytes, totalBytes: 1000, bytesPerSecond: 0 })
  line.show({ label: 'b', receivedBytes: 500, totalBytes: 1000, bytesPerSecond: 500 })
  line.end()
  expect(stream.written).toHaveLength(11)
  expect(stream.written[0]).toBe('a  100 B of 1.0 kB  10 %\n')
  expect(stream.written[9]).toBe('a  1.0 kB of 1.0 kB  100 %\n')
  expect(stream.written[10]).toBe('b  500 B of 1.0 kB  50 %  500 B/s  1 s left\n')
})

test('without a known total there is no percentage, and a log gets a line for each 10 MB', () => {
  const stream = recorded()
  const line = progressLine(stream)
  for (let receivedBytes = 0; receivedBytes <= 25e6; receivedBytes += 1e6) line.show({ label: 'a', receivedBytes, bytesPerSecond: 0 })
  expect(stream.written).toEqual(['a  10.0 MB\n', 'a  20.0 MB\n'])
})

test('an empty file is whole', () => {
  const stream = recorded({ isTTY: true, columns: 80 })
  progressLine(stream, () => 0).show({ label: 'a', receivedBytes: 0, totalBytes: 0, bytesPerSecond: 0 })
  expect(stream.written[0]).toContain('100 %')
})

test('bytes are written in decimal units, times in the two largest', () => {
  expect([0, 999, 1000, 98_362_432, 999_960, 1.5e12, 5e15].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '98.4 MB',
    '1.0 MB',
    '1.5 TB',
    '5000.0 TB',
  ])
  expect([0.2, 59, 60, 185, 3600, 7800].map(formatDuration)).toEqual([
    '1 s',
    '59 s',
    '1 min 00 s',
    '3 min 05 s',
    '1 h 00 min',
    '2 h 10 min',
  ])
})
