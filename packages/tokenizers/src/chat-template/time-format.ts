/** Python's `strftime` with the names of the C locale. */
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']

/** @param time  read in the time zone of the machine, as Python's `datetime.now()` */
export function formatTime(time: Date, format: string): string {
  return format.replace(/%-?[a-zA-Z%]/g, (directive) => {
    const isUnpadded = directive[1] === '-'
    const value = field(time, directive.at(-1) ?? '')
    return value === undefined ? directive : isUnpadded ? value.replace(/^[0 ]+(?=.)/, '') : value
  })
}

function field(time: Date, letter: string): string | undefined {
  const day = DAYS[time.getDay()] ?? ''
  const month = MONTHS[time.getMonth()] ?? ''
  switch (letter) {
    case 'Y':
      return String(time.getFullYear())
    case 'y':
      return two(time.getFullYear() % 100)
    case 'm':
      return two(time.getMonth() + 1)
    case 'd':
      return two(time.getDate())
    case 'e':
      return String(time.getDate()).padStart(2)
    case 'H':
      return two(time.getHours())
    case 'I':
      return two(time.getHours() % 12 || 12)
    case 'M':
      return two(time.getMinutes())
    case 'S':
      return two(time.getSeconds())
    case 'f':
      return `${String(time.getMilliseconds()).padStart(3, '0')}000`
    case 'p':
      return time.getHours() < 12 ? 'AM' : 'PM'
    case 'A':
      return day
    case 'a':
      return day.slice(0, 3)
    case 'B':
      return month
    case 'b':
    case 'h':
      return month.slice(0, 3)
    case 'j':
      return String(dayOfYear(time)).padStart(3, '0')
    case 'w':
      return String(time.getDay())
    case 'u':
      return String(time.getDay() || 7)
    case 'F':
      return formatTime(time, '%Y-%m-%d')
    case 'T':
    case 'X':
      return formatTime(time, '%H:%M:%S')
    case 'R':
      return formatTime(time, '%H:%M')
    case 'D':
    case 'x':
      return formatTime(time, '%m/%d/%y')
    case 'c':
      return formatTime(time, '%a %b %e %H:%M:%S %Y')
    case 'Z':
    case 'z':
      // A time without a zone prints none in Python.
      return ''
    case '%':
      return '%'
    default:
      return undefined
  }
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

function dayOfYear(time: Date): number {
  const start = Date.UTC(time.getFullYear(), 0, 1)
  return (Date.UTC(time.getFullYear(), time.getMonth(), time.getDate()) - start) / 86_400_000 + 1
}
