/** UTF-8 bytes to text in any portions: incomplete characters wait for the rest, invalid ones become U+FFFD. */
export interface Utf8Stream {
  push(bytes: Uint8Array): string
  /** What is left at the end: an incomplete character becomes U+FFFD. */
  flush(): string
}

// The byte order mark is a character like any other: text must come back as it was.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export function makeUtf8Stream(): Utf8Stream {
  let waiting: Uint8Array = new Uint8Array(0)
  return {
    push(bytes) {
      let all = bytes
      if (waiting.length > 0) {
        all = new Uint8Array(waiting.length + bytes.length)
        all.set(waiting)
        all.set(bytes, waiting.length)
      }
      const end = all.length - incompleteTail(all)
      waiting = all.slice(end)
      return decoder.decode(all.subarray(0, end))
    },
    flush() {
      const rest = decoder.decode(waiting)
      waiting = new Uint8Array(0)
      return rest
    },
  }
}

/** How many bytes at the end begin a character that further bytes can still complete: 0 to 3. */
function incompleteTail(bytes: Uint8Array): number {
  const { length } = bytes
  for (let back = 1; back <= Math.min(3, length); back++) {
    const lead = bytes[length - back] ?? 0
    if (lead >= 0x80 && lead < 0xc0) continue
    const wanted = lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 1
    return wanted > back && (back === 1 || isValidSecond(lead, bytes[length - back + 1] ?? 0)) ? back : 0
  }
  return 0
}

/** The second byte excludes overlong forms, surrogates and what is beyond U+10FFFF. */
function isValidSecond(lead: number, second: number): boolean {
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  return second >= least && second <= most
}
