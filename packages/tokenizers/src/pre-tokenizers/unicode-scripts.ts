import type { PreTokenizer } from './pre-tokenizer.ts'

/**
 * `UnicodeScripts`: cuts where the script changes. Hiragana and Katakana count as Han, as in SentencePiece; spaces and characters
 * without a script go with what is before them.
 */
export function unicodeScriptsPreTokenizer(): PreTokenizer {
  return {
    split({ text, start }, pieces) {
      let from = 0
      let last = ANY
      for (let at = 0; at < text.length; ) {
        const codePoint = text.codePointAt(at) ?? 0
        const script = scriptOf(codePoint)
        if (script !== ANY && last !== ANY && last !== script) {
          pieces.push({ text: text.slice(from, at), start: start + from })
          from = at
        }
        if (script !== ANY) last = script
        at += codePoint > 0xffff ? 2 : 1
      }
      if (from < text.length) pieces.push({ text: text.slice(from), start: start + from })
    },
  }
}

const ANY = ''
const LONG_VOWEL_MARK = 0x30fc

// The scripts of most text first: the names are tried in order.
const SCRIPTS =
  'Common Latin Han Cyrillic Arabic Hangul Devanagari Inherited Greek Hebrew Thai Bengali Tamil Telugu Kannada Malayalam Gujarati Gurmukhi Georgian Armenian Ethiopic Khmer Lao Myanmar Sinhala Tibetan Mongolian Oriya Bopomofo Adlam Ahom Anatolian_Hieroglyphs Avestan Balinese Bamum Bassa_Vah Batak Bhaiksuki Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Chorasmian Coptic Cuneiform Cypriot Cypro_Minoan Deseret Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs Elbasan Elymaic Glagolitic Gothic Grantha Gunjala_Gondi Hanifi_Rohingya Hanunoo Hatran Imperial_Aramaic Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kayah_Li Kharoshthi Khitan_Small_Script Khojki Khudawadi Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Makasar Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mro Multani Nabataean Nandinagari New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham SignWriting Sogdian Sora_Sompeng Soyombo Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tangsa Tangut Thaana Tifinagh Tirhuta Toto Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi Zanabazar_Square'.split(
    ' ',
  )

const MAX_KNOWN = 0x10000
const known = new Map<number, string>()
let tests: readonly RegExp[] | undefined

function scriptOf(codePoint: number): string {
  const before = known.get(codePoint)
  if (before !== undefined) return before
  const script = findScript(codePoint)
  if (known.size >= MAX_KNOWN) known.clear()
  known.set(codePoint, script)
  return script
}

function findScript(codePoint: number): string {
  if (codePoint === 0x20) return ANY
  if (codePoint === LONG_VOWEL_MARK) return 'Han'
  const character = String.fromCodePoint(codePoint)
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(character)) return 'Han'
  tests ??= SCRIPTS.map((script) => new RegExp(`\\p{Script=${script}}`, 'u'))
  return SCRIPTS[tests.findIndex((pattern) => pattern.test(character))] ?? ANY
}
