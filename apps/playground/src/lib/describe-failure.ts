/**
 * What went wrong, for people: a heading that says which kind of trouble it is, the library's own sentence, and what can be done. Errors are
 * recognised by their `code`, since they may come from a worker.
 */
export interface Failure {
  readonly title: string
  readonly detail: string
  readonly advice: string
}

type Explanation = readonly [title: string, advice: string]

const DAMAGED: Explanation = ['The file is damaged, or of another kind', 'Download it again, or choose another file.']
const BROKEN_DOWNLOAD: Explanation = [
  'The download did not arrive as announced',
  'Load it again; what is right already is not fetched twice.',
]
const NO_TOKENIZER: Explanation = ['The tokenizer of this model cannot be read', 'Choose another model, or another form of it.']
const OFFLINE: Explanation = ['The model cannot be reached', 'Check the connection; or drop a model file from this device.']

/** Titles and advice by code. */
export const KNOWN_FAILURES: ReadonlyMap<string, Explanation> = new Map<string, Explanation>([
  ['wrong-files', ['These files are not a model', 'Drop one .gguf file, or the folder of a checkpoint with its config.json.']],
  [
    'model-name',
    ['That is not the name of a model', 'Names look like organisation/name; a file of a repository is organisation/name/file.gguf.'],
  ],
  ['weights-format', DAMAGED],
  [
    'unsupported-encoding',
    ['The weights are stored in a way that is not read yet', 'Choose another form of the model, such as Q4_1 or Q8_0.'],
  ],
  ['missing-tensor', ['The checkpoint is incomplete', 'Drop the whole folder: all .safetensors files and the .json files beside them.']],
  ['checkpoint', ['The checkpoint is incomplete', 'Drop the whole folder: all .safetensors files and the .json files beside them.']],
  ['model-config', ['The checkpoint does not add up', 'Its config.json and its weights should come from the same download.']],
  [
    'unsupported-architecture',
    ['This kind of model is not built yet', 'Models of the families Llama, Qwen, Gemma, Mistral, Phi and others load.'],
  ],
  ['unsupported-device', ['This browser offers no such device', 'Choose the processor under Settings, and load again.']],
  [
    'repository',
    [
      'The hub has no such model, or none that can be opened',
      'Look for a typing error; some models ask for an account, which this page has not.',
    ],
  ],
  ['network', OFFLINE],
  ['offline', OFFLINE],
  ['download-hash', BROKEN_DOWNLOAD],
  ['download-size', BROKEN_DOWNLOAD],
  ['disk-full', ['There is no room to keep the model', 'Free some space, or choose a smaller model.']],
  [
    'tokenizer-missing',
    ['The model has no tokenizer or chat template', 'Choose a model that was made for chats; its folder holds tokenizer.json.'],
  ],
  ['tokenizer-format', NO_TOKENIZER],
  ['tokenizer-unsupported', NO_TOKENIZER],
  ['chat-template', ['The chat template of this model failed', 'Try another system message, or another model.']],
  ['context-length', ['The conversation is longer than the model can see', 'Start a new chat, or edit an earlier turn.']],
  [
    'history',
    ['This chat cannot be kept', 'The page works, but a reload forgets the chat. A private window or a full disk can be the reason.'],
  ],
  [
    'worker-crashed',
    ['The model stopped', 'The browser ended it, most likely for want of memory. Load it again, or choose a smaller one.'],
  ],
  ['disposed', ['The model was closed', 'Load it again.']],
])

/** @param error  anything that was thrown */
export function describeFailure(error: unknown): Failure {
  const detail = error instanceof Error ? error.message : String(error)
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  const name = error instanceof Error ? error.name : ''
  if (name === 'QuotaExceededError') return failure(KNOWN_FAILURES.get('disk-full'), detail)
  const known = KNOWN_FAILURES.get(code)
  if (known !== undefined) return failure(known, detail)
  if (/fetch|network/i.test(detail)) return failure(OFFLINE, detail)
  return { title: 'That did not work', detail, advice: '' }
}

function failure([title, advice]: readonly [string, string] = ['That did not work', ''], detail: string): Failure {
  return { title, detail, advice }
}
