import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from '@foretoken/generation'
import { loadCausalLM } from '@foretoken/models'
import { expect, test, vi } from 'vitest'

const source = join(process.env.FORETOKEN_MODELS ?? 'absent', 'smollm2-135m-instruct-q4_1.gguf')

test.skipIf(!existsSync(source))("the root README's snippet streams an answer (needs FORETOKEN_MODELS)", { timeout: 120_000 }, async () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    // readme:start
    // `source` is a folder with config.json and safetensors, a .gguf file, or a repository of the hub: 'organisation/name'
    await using lm = await loadCausalLM(source)
    const messages = [{ role: 'user', content: 'Why is the sky blue?' }]
    for await (const piece of generate(lm, { messages, maxNewTokens: 64 })) process.stdout.write(piece.text)
    // readme:end
    expect(write.mock.calls.map(([text]) => text).join('')).toMatch(/\b(light|scatter)/i)
  } finally {
    write.mockRestore()
  }
})
