import { ForetokenError } from '@foretoken/tensor'

/** Files that were dropped or chosen and are no model. */
export class WrongFilesError extends ForetokenError {
  readonly code = 'wrong-files'
}

/** Text that names no model. */
export class ModelNameError extends ForetokenError {
  readonly code = 'model-name'
}

/** The browser keeps nothing for this page, or has no room left for it. */
export class HistoryError extends ForetokenError {
  readonly code = 'history'
}

/** A model that has no tokenizer, and so no text. */
export class ChatModelError extends ForetokenError {
  readonly code = 'tokenizer-missing'
}
