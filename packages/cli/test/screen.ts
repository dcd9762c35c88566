/**
 * A small terminal: text with wrapping as xterm does it (a full line waits for the next character), and the escape sequences that this
 * package writes. Anything else is an error.
 */
export interface Screen {
  write(text: string): void
  /** The lines on the screen and those scrolled out, without spaces at their ends. */
  lines(): string[]
  readonly row: number
  readonly column: number
}

export function createScreen(columns: number, rows: number): Screen {
  const grid: string[][] = [[]]
  let top = 0
  let row = 0
  let column = 0
  let isWaiting = false
  let saved = { row: 0, column: 0, isWaiting: false }
  const lineDown = () => {
    if (row === rows - 1) top += 1
    else row += 1
  }
  const lineAt = (at: number): string[] => {
    while (grid.length <= at) grid.push([])
    return grid[at] ?? []
  }
  const put = (character: string) => {
    if (isWaiting) {
      column = 0
      lineDown()
    }
    const line = lineAt(top + row)
    while (line.length < column) line.push(' ')
    line[column] = character
    isWaiting = column === columns - 1
    if (!isWaiting) column += 1
  }
  /** @param sequence  without the escape character */
  const obey = (sequence: string) => {
    if (sequence === '7') saved = { row, column, isWaiting }
    else if (sequence === '8') ({ row, column, isWaiting } = saved)
    else if (/^\[\d+m$/.test(sequence)) return
    else {
      if (sequence !== '[K') isWaiting = false
      const [, count, command] = /^\[(\d*)(.)$/.exec(sequence) ?? []
      const n = Number(count || '1')
      if (sequence === 'D') lineDown()
      else if (command === 'A') row = Math.max(0, row - n)
      else if (command === 'D') column = Math.max(0, column - n)
      else if (command === 'E') [row, column] = [Math.min(rows - 1, row + n), 0]
      else if (command === 'K') lineAt(top + row).length = Math.min(lineAt(top + row).length, column)
      else throw new Error(`unknown sequence ${JSON.stringify(sequence)}`)
    }
  }
  const type = (text: string) => {
    for (const character of text) {
      if (character === '\n') {
        isWaiting = false
        column = 0
        lineDown()
      } else put(character)
    }
  }
  return {
    write(text) {
      const [before = '', ...parts] = text.split('\u001b')
      type(before)
      for (const part of parts) {
        const [sequence = ''] = /^\[[\d;]*[A-Za-z]|^./.exec(part) ?? []
        obey(sequence)
        type(part.slice(sequence.length))
      }
    },
    lines: () => {
      const texts = grid.map((line) => line.join('').trimEnd())
      while (texts.at(-1) === '') texts.pop()
      return texts
    },
    get row() {
      return row
    },
    get column() {
      return column
    },
  }
}
