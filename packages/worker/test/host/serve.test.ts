/** The host without a worker around it: every message is seen, in its order. */

import { expect, test } from 'vitest'
import { nextTurn } from '#host-platform'
import type { Port } from '../../src/host/port.ts'
import { serve } from '../../src/host/serve.ts'
import { isToPage, PROTOCOL, type StreamRequest, type ToHost, type ToPage } from '../../src/messages/protocol.ts'
import { tinyModel } from '../tiny-model.ts'

const LOAD = 1
const STREAM = 2

/** A host with the tiny model. What is sent to it arrives as messages do: a turn of the event loop later. */
async function openHost() {
  const answers: ToPage[] = []
  const channel = new MessageChannel()
  const watchers = new Set<(message: ToPage) => void>()
  let deliver: (message: unknown) => void = () => undefined
  const port: Port = {
    post(message) {
      const answer: unknown = structuredClone(message)
      if (!isToPage(answer)) throw new TypeError('not a message of the protocol')
      answers.push(answer)
      for (const watch of watchers) watch(answer)
    },
    listen: (onMessage) => {
      deliver = onMessage
    },
    onUncaught: () => undefined,
    holdLife: () => Promise.resolve(),
  }
  serve(port, nextTurn)
  channel.port1.onmessage = ({ data }) => deliver(data)
  const send = (message: ToHost) => channel.port2.postMessage(message)
  const answerTo = (id: number) =>
    new Promise<ToPage>((resolve) => {
      watchers.add((message) => {
        if ('id' in message && message.id === id && ['result', 'end', 'failure'].includes(message.kind)) resolve(message)
      })
    })
  const loaded = answerTo(LOAD)
  send({ kind: 'hello', protocol: PROTOCOL, life: 'test' })
  const files = [...tinyModel()].map(([name, data]) => ({ name, data }))
  const options = { format: 'f32', threads: 1, selfTest: false } as const
  send({ kind: 'call', id: LOAD, call: { name: 'load', source: { kind: 'files', files }, options } })
  expect(await loaded).toMatchObject({ kind: 'result' })
  return {
    answers,
    send,
    answerTo,
    watch: (watcher: (message: ToPage) => void) => watchers.add(watcher),
    async close() {
      const closed = answerTo(99)
      send({ kind: 'call', id: 99, call: { name: 'close' } })
      await closed
      channel.port1.close()
    },
  }
}

const stream: StreamRequest = { name: 'generate', options: { prompt: 'Once', stopTokens: [], maxNewTokens: 500, speculate: 'off' } }

test('the greeting says which version of the messages is spoken', async () => {
  const host = await openHost()
  expect(host.answers[0]).toEqual({ kind: 'hello', protocol: PROTOCOL })
  await host.close()
})

test('an abort that arrives during a step is the end: no piece comes after the one of that step', async () => {
  const host = await openHost()
  const ended = host.answerTo(STREAM)
  let pieces = 0
  let atAbort = 0
  host.watch((message) => {
    if (message.kind !== 'piece') return
    pieces++
    if (pieces !== 3) return
    atAbort = pieces
    host.send({ kind: 'abort', id: STREAM })
  })
  host.send({ kind: 'stream', id: STREAM, stream, ahead: 1000 })
  expect(await ended).toMatchObject({ kind: 'failure', id: STREAM, error: { kind: 'exception', name: 'AbortError' } })
  expect(pieces - atAbort).toBeLessThanOrEqual(1)
  await host.close()
})

test('a message that comes between two steps of a long prompt is answered before the prompt is done', async () => {
  const host = await openHost()
  const order: string[] = []
  host.watch((message) => {
    if (message.kind === 'progress') order.push('step')
    if (message.kind === 'result' && message.id === 3) order.push('answer')
  })
  const scored = host.answerTo(STREAM)
  host.send({ kind: 'call', id: STREAM, call: { name: 'score', options: { prompt: 'x'.repeat(40), rows: 1 } } })
  host.send({ kind: 'call', id: 3, call: { name: 'memory' } })
  await scored
  expect(order.filter((each) => each === 'step')).toHaveLength(40)
  expect(order.indexOf('answer')).toBeLessThan(2)
  await host.close()
})
