/** The process of one side: takes a job from its parent, does it, answers once, ends. Nothing else is loaded into it. */
import { type ChildMessage, instant, type Job, type JobReport, type PeerSource, type Task } from './job.ts'
import type { Peer, PeerSettings } from './peer.ts'
import { peakResidentBytes } from './resident-memory.ts'

process.once('message', (job: Job) => {
  run(job)
    .then(
      (report) => answer({ kind: 'done', report }),
      (error: unknown) => answer({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) }),
    )
    .finally(() => process.exit())
})

async function run({ source, task, ...settings }: Job): Promise<JobReport> {
  const peer = await open(source, settings)
  const readyAt = instant()
  const result = await perform(peer, task)
  const { user, system } = process.cpuUsage()
  return { readyAt, processorMs: (user + system) / 1000, result }
}

async function open(source: PeerSource, settings: PeerSettings): Promise<Peer> {
  switch (source.kind) {
    case 'foretoken':
      return (await import('./foretoken.ts')).openForetoken(source, settings)
    case 'node-llama-cpp':
      return (await import('./node-llama-cpp.ts')).openNodeLlamaCpp(source, settings)
    case 'transformers.js':
      return (await import('./transformers-js.ts')).openTransformersJs(source, settings)
  }
}

async function perform(peer: Peer, task: Task): Promise<JobReport['result']> {
  if (task.kind === 'perplexity') {
    const scores = await peer.logProbabilities(task.tokens)
    const negativeLogLikelihood = -scores.reduce((sum, each) => sum + each, 0) / scores.length
    return { kind: 'perplexity', negativeLogLikelihood }
  }
  const continuations = []
  for (const prompt of task.prompts) {
    const times: number[] = []
    const startedAt = instant()
    await peer.generate(prompt, task.newTokens, () => times.push(instant()))
    const [firstTokenAt] = times
    if (firstTokenAt === undefined || times.length !== task.newTokens) {
      throw new Error(`found ${times.length} tokens after a prompt of ${prompt.length}, expected ${task.newTokens}`)
    }
    continuations.push({
      promptTokens: prompt.length,
      firstTokenAt,
      prefillMs: firstTokenAt - startedAt,
      stepMs: times.slice(1).map((time, at) => time - (times[at] ?? time)),
      peakBytes: peakResidentBytes(),
    })
  }
  return { kind: 'speed', continuations }
}

function answer(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve()
    else process.send(message, () => resolve())
  })
}
