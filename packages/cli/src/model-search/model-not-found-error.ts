import { ForetokenError } from '@foretoken/tensor'

/** A place where a model was looked for, and why it was not there. */
export interface SearchedPlace {
  readonly place: string
  readonly reason: string
}

/** No model was found. The message lists every place, why it failed, and what to do. */
export class ModelNotFoundError extends ForetokenError {
  readonly code = 'model-not-found'
  readonly model: string
  readonly places: readonly SearchedPlace[]
  /** One sentence each. */
  readonly advice: readonly string[]

  constructor(facts: { readonly model: string; readonly places: readonly SearchedPlace[]; readonly advice: readonly string[] }) {
    const { model, places, advice } = facts
    super({ field: model, found: `nothing in ${places.length} places`, expected: 'a model' })
    this.model = model
    this.places = places
    this.advice = advice
    const looked = places.map(({ place, reason }) => `  - ${place}: ${reason}`)
    this.message = [`The model ${model} was not found. Looked at:`, ...looked, 'What to do:', ...advice.map((line) => `  - ${line}`)].join(
      '\n',
    )
  }
}
