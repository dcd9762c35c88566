/** In the page's own thread: workers know no import maps. */
import { generate } from '@foretoken/generation'
import { loadCausalLM } from '@foretoken/models'

const [files, prompt, button, text, status] = ['files', 'prompt', 'generate', 'text', 'status'].map((id) => document.getElementById(id))
let lm

files.addEventListener('change', async () => {
  button.disabled = true
  status.textContent = 'Opening the model …'
  try {
    await lm?.[Symbol.asyncDispose]()
    lm = await loadCausalLM([...files.files])
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
    for await (const piece of generate(lm, { prompt: prompt.value, maxNewTokens: 64 })) text.textContent += piece.text
    status.textContent = 'Done.'
  } catch (error) {
    status.textContent = error.message
  }
  button.disabled = false
})
