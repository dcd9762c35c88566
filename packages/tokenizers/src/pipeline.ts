import type { AddedToken } from './added-tokens.ts'
import { utf8Bytes } from './byte-alphabet.ts'
import type { Decoder } from './decoders/decoder.ts'
import { joinWithSpaces } from './decoders/fuse.ts'
import type { Model } from './models/model.ts'
import type { PostProcessor } from './post-processors/post-processor.ts'
import type { Piece, PreTokenizer } from './pre-tokenizers/pre-tokenizer.ts'
import { findSections, type SectionFinder, type TextRange } from './sections.ts'
import type { ChatTemplate, DecodeOptions, EncodeOptions, SpecialTokens, StreamDecoder, Tokenizer } from './tokenizer.ts'
import { type Padding, pad, type Truncation, truncate } from './truncation.ts'

/** The stages of a tokenizer and what it knows about its special tokens. Whatever a tokenizer is read from, this is what it becomes. */
export interface TokenizerParts {
  readonly sections: SectionFinder
  readonly preTokenizer?: PreTokenizer
  readonly model: Model
  readonly postProcessor?: PostProcessor
  readonly decoder?: Decoder
  readonly addedTokens: readonly AddedToken[]
  readonly truncation?: Truncation
  readonly padding?: Padding
  readonly specialTokens: SpecialTokens
  readonly chatTemplate?: ChatTemplate
}

/** A part of a text, and whether special tokens written out in it count. */
export interface TextSegment {
  readonly text: string
  readonly parseSpecialTokens: boolean
}

/** A tokenizer made of stages: what the interface asks for and what other layers build on. */
export interface PipelineTokenizer extends Tokenizer {
  /**
   * Encodes the concatenation of the segments as one text: tokens may reach across the borders, but no special token begins, ends or
   * lies in a segment that does not parse them. How chat templates keep messages from forging roles.
   *
   * @param options  `addSpecialTokens` (default true) as in `encode`
   */
  encodeSegments(segments: readonly TextSegment[], options?: { readonly addSpecialTokens?: boolean }): Int32Array
  /**
   * The bytes of text that a token stands for, whatever its neighbours: of half a character those it has, of a special or added token
   * its content. A word-initial space counts where the token itself carries it. Undefined for an id that is not in the vocabulary.
   */
  tokenBytes(id: number): Uint8Array | undefined
}

/** Puts the stages together. */
export function makeTokenizer(parts: TokenizerParts): PipelineTokenizer {
  const { model, postProcessor, specialTokens, chatTemplate, truncation, padding } = parts
  const decoder = parts.decoder ?? joinWithSpaces()
  const added = new Map(parts.addedTokens.map((token) => [token.id, token]))
  const addedIds = new Map(parts.addedTokens.map((token) => [token.content, token.id]))
  const tokenOf = (id: number) => added.get(id)?.content ?? model.vocabulary.tokenOf(id)
  const isSpecial = (id: number) => added.get(id)?.special === true

  const encodeText = (text: string, protectedRanges: readonly TextRange[], addSpecialTokens: boolean): Int32Array => {
    // A lone surrogate is no character: like every encoder of UTF-8, we read it as U+FFFD.
    let ids = tokenizeText(parts, text.toWellFormed(), protectedRanges)
    const processor = addSpecialTokens ? postProcessor : undefined
    if (truncation !== undefined) ids = truncate(ids, truncation, processor?.addedCount ?? 0)
    if (processor !== undefined) ids = processor.process(ids)
    if (padding !== undefined) ids = pad(ids, padding)
    return Int32Array.from(ids)
  }

  const stream = ({ skipSpecialTokens = false }: DecodeOptions = {}): StreamDecoder => {
    let text = ''
    const sink = decoder.start({
      push: (part) => {
        text += part
      },
      finish: () => {},
    })
    const take = () => {
      const taken = text
      text = ''
      return taken
    }
    return {
      push(id) {
        const token = tokenOf(id)
        if (token === undefined || (skipSpecialTokens && isSpecial(id))) return ''
        sink.push(token, true, true)
        return take()
      },
      flush() {
        sink.finish()
        return take()
      },
    }
  }

  return {
    vocabularySize: parts.addedTokens.reduce((size, { id }) => Math.max(size, id + 1), model.vocabulary.size),
    specialTokens,
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
    tokenOf,
    isSpecial,
    stream,
    idOf: (token) => addedIds.get(token) ?? model.vocabulary.idOf(token),
    encode(text, { addSpecialTokens = true, parseSpecialTokens = false }: EncodeOptions = {}) {
      return encodeText(text, parseSpecialTokens ? [] : [{ start: 0, end: text.length }], addSpecialTokens)
    },
    encodeSegments(segments, { addSpecialTokens = true } = {}) {
      return encodeText(segments.map(({ text }) => text).join(''), protectedRangesOf(segments), addSpecialTokens)
    },
    decode(ids, options) {
      const { push, flush } = stream(options)
      const texts: string[] = []
      for (let i = 0; i < ids.length; i++) texts.push(push(ids[i] ?? -1))
      texts.push(flush())
      return texts.join('')
    },
    tokenBytes(id) {
      const content = added.get(id)?.content
      if (content !== undefined) return utf8Bytes(content)
      const token = model.vocabulary.tokenOf(id)
      if (token === undefined) return undefined
      const expanded = decoder.expand?.(token) ?? token
      return typeof expanded === 'string' ? utf8Bytes(expanded) : expanded
    },
  }
}

function tokenizeText({ sections, preTokenizer, model }: TokenizerParts, text: string, protectedRanges: readonly TextRange[]): number[] {
  const ids: number[] = []
  for (const section of findSections(sections, text, protectedRanges)) {
    if (section.kind === 'token') {
      ids.push(section.id)
      continue
    }
    if (preTokenizer === undefined) {
      model.tokenize(section.text, ids)
      continue
    }
    const pieces: Piece[] = []
    preTokenizer.split(section, pieces)
    for (let i = 0; i < pieces.length; i++) model.tokenize(pieces[i]?.text ?? '', ids)
  }
  return ids
}

function protectedRangesOf(segments: readonly TextSegment[]): TextRange[] {
  const ranges: TextRange[] = []
  let start = 0
  for (const { text, parseSpecialTokens } of segments) {
    const end = start + text.length
    if (!parseSpecialTokens && end > start) ranges.push({ start, end })
    start = end
  }
  return ranges
}
