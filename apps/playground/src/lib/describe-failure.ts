/**
 * What went wrong, for people: a heading that says which kind of trouble it is, the library's own sentence, and what can be done. Errors are
 * recognised by their `code`, since they may come from a worker.
 */
export interface Failure {
  readonly title: string
  readonly detail: string
  readonly advice: string
}

const KNOWN: ReadonlyMap<string, readonly [title: string, advice: string]> = new Map([
  ['wrong-files', ['These files are not a model', 'Drop one .gguf file, or the folder of a checkpoint with its config.json.']],
  [
    'model-name',
    ['That is not the name of a model', 'Names look like organisation/name; a file of a repository is organisation/name/file.gguf.'],
  ],
  ['weights-format', ['The file is damaged, or of another kind', 'Download it again, or choose another file.']],
  ['gguf', ['The file is damaged, or of another kind', 'Download it again, or choose another file.']],
  ['model-config', ['The checkpoint does not add up', 'Its config.json and its weights should come from the same download.']],
  ['checkpoint', ['The checkpoint is incomplete', 'Drop the whole folder: all .safetensors files and the .json files beside them.']],
  [
    'unsupported-architecture',
    ['This kind of model is not built yet', 'Models of the families Llama, Qwen, Gemma, Mistral, Phi and others load.'],
  ],
  ['context-length', ['The conversation is longer than the model can see', 'Start a new chat, or edit an earlier turn.']],
  [
    'tokenizer-missing',
    ['The model has no tokenizer or chat template', 'Choose a model that was made for chats; its folder holds tokenizer.json.'],
  ],
  [
    'history',
    ['This chat cannot be kept', 'The page works, but a reload forgets the chat. A private window or a full disk can be the reason.'],
  ],
  ['quota', ['There is no room to keep the model', 'Free some space, or choose a smaller model.']],
  [
    'worker-crashed',
    ['The model stopped', 'The browser ended it, most likely for want of memory. Load it again, or choose a smaller one.'],
  ],
  ['disposed', ['The model was closed', 'Load it again.']],
])

const OFFLINE: readonly [string, string] = ['The model cannot be reached', 'Check the connection; or drop a model file from this device.']

/** @param error  anything that was thrown */
export function describeFailure(error: unknown): Failure {
  const detail = error instanceof Error ? error.message : String(error)
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  const name = error instanceof Error ? error.name : ''
  if (name === 'QuotaExceededError') return failure(KNOWN.get('quota'), detail)
  const known = KNOWN.get(code)
  if (known !== undefined) return failure(known, detail)
  if (/fetch|network|offline/i.test(detail) || code === 'download' || code === 'hub') return failure(OFFLINE, detail)
  return { title: 'That did not work', detail, advice: '' }
}

function failure([title, advice]: readonly [string, string] = ['That did not work', ''], detail: string): Failure {
  return { title, detail, advice }
}
