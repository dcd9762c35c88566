import { ForetokenError } from '@foretoken/tensor'

/** Logits from which nothing can be chosen: NaN, +Infinity, all -Infinity, or of another size than the vocabulary. */
export class LogitsError extends ForetokenError {
  readonly code = 'logits'
}

/** The logits processors forbade every token, or wrote values that are no logits. */
export class ProcessorError extends ForetokenError {
  readonly code = 'processor'
}

/** More tokens than the model has positions for. */
export class ContextLengthError extends ForetokenError {
  readonly code = 'context-length'
}

/** Text was given or asked for, and the model came without tokenizer files or without a chat template. */
export class TokenizerMissingError extends ForetokenError {
  readonly code = 'tokenizer-missing'
}

/** A second generation was started on a cache while another one is writing to it. */
export class CacheBusyError extends ForetokenError {
  readonly code = 'cache-busy'
}

/** A constraint that cannot be kept: a schema with a keyword that is not known, a grammar with a mistake, rules that nothing fulfils. */
export class ConstraintError extends ForetokenError {
  readonly code = 'constraint'
}

/** A drafter proposed what is no tree, or more than it was asked for. */
export class DraftError extends ForetokenError {
  readonly code = 'draft'
}
