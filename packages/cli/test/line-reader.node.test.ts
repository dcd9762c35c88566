import { expect, test } from 'vitest'
import { lineReader } from '../src/line-reader.ts'
import { fakeTerminal } from './fake-terminal.ts'

function reader(signal = new AbortController().signal) {
  const terminal = fakeTerminal({ isTTY: true })
  return { terminal, lines: lineReader(terminal, '> ', signal) }
}

test('lines that are pasted together are handed out one by one', async () => {
  const { terminal, lines } = reader()
  terminal.input.write('one\rtwo\rthree\r')
  expect([await lines.next(), await lines.next(), await lines.next()]).toEqual(['one', 'two', 'three'])
})

test('what is typed while the terminal is held is not shown then, and begins the next line', async () => {
  const { terminal, lines } = reader()
  const release = lines.hold(() => undefined)
  terminal.input.write('ahe\u001b[Aad')
  await new Promise(setImmediate)
  expect(terminal.screenText()).toBe('')
  release()
  const next = lines.next()
  terminal.input.write('!\r')
  expect(await next).toBe('ahead!')
})

test('Ctrl-C while the terminal is held calls back, and is no text', async () => {
  const { terminal, lines } = reader()
  let interrupts = 0
  const release = lines.hold(() => {
    interrupts += 1
  })
  terminal.input.write('\u0003')
  await new Promise(setImmediate)
  release()
  expect(interrupts).toBe(1)
  terminal.input.write('x\r')
  expect(await lines.next()).toBe('x')
})

test('an abort ends the line that is being typed', async () => {
  const controller = new AbortController()
  const { terminal, lines } = reader(controller.signal)
  const next = lines.next()
  terminal.input.write('half a li')
  controller.abort()
  expect(await next).toBeUndefined()
})

test('the end of the input is the end of the lines', async () => {
  const { terminal, lines } = reader()
  terminal.input.end()
  expect(await lines.next()).toBeUndefined()
})
