/** Node, Bun and Deno: `node main.mjs FOLDER "A prompt"`. FOLDER may be a .gguf file or a repository of the hub as well. */
import { loadInWorker } from '@foretoken/worker'

const [source, prompt = 'Once upon a time'] = process.argv.slice(2)
if (source === undefined) throw new Error('found no model, expected a folder, a .gguf file or a repository of the hub')

const lm = await loadInWorker(source)
process.stdout.write(prompt)
for await (const piece of lm.generate({ prompt, maxNewTokens: 64 })) process.stdout.write(piece.text)
process.stdout.write('\n')
await lm[Symbol.asyncDispose]()
