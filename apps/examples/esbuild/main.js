import { loadInWorker } from '@foretoken/worker'

const [files, prompt, button, text, status] = ['files', 'prompt', 'generate', 'text', 'status'].map((id) => document.getElementById(id))
let lm

files.addEventListener('change', async () => {
  button.disabled = true
  status.textContent = 'Opening the model …'
  try {
    await lm?.[Symbol.asyncDispose]()
    lm = await loadInWorker([...files.files], { worker: () => new Worker('worker.js', { type: 'module' }) })
    status.textContent = `${lm.plan.runtime}, ${lm.plan.threads} threads`
    button.disabled = false
  } catch (error) {
    status.textContent = error.message
  }
})

button.addEventListener('click', async () => {
  button.disabled = true
  text.textContent = prompt.value
  try {
    for await (const piece of lm.generate({ prompt: prompt.value, maxNewTokens: 64 })) text.textContent += piece.text
    status.textContent = 'Done.'
  } catch (error) {
    status.textContent = error.message
  }
  button.disabled = false
})
