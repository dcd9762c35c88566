/** The stage that rewrites a text before it is cut. A plain function of the text; alignments can be added beside it. */
export interface Normalizer {
  normalize(text: string): string
}

export function sequenceNormalizer(stages: readonly Normalizer[]): Normalizer {
  return { normalize: (text) => stages.reduce<string>((current, stage) => stage.normalize(current), text) }
}
