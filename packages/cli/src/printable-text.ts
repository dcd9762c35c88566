/**
 * Text of a model or a file, made safe for a terminal: a control character would be obeyed there (an escape sequence can move the cursor,
 * retitle the window, or answer in the user's name). Line ends and tabs stay.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** U+2400 stands for NUL, and so on: Unicode's pictures of the control characters. */
const PICTURES = 0x2400
const DELETE = 0x7f

export function printableText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(CONTROL, (character) => {
    const code = character.charCodeAt(0)
    if (code === DELETE) return '\u2421'
    return code < 0x20 ? String.fromCharCode(PICTURES + code) : '\ufffd'
  })
}
