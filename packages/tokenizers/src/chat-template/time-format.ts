/** Python's `strftime` with the names of the C locale, for the directives that templates use; others stay as they are. */
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']

const two = (value: number): string => String(value).padStart(2, '0')
const dayOf = (time: Date): string => DAYS[time.getDay()] ?? ''
const monthOf = (time: Date): string => MONTHS[time.getMonth()] ?? ''

function dayOfYear(time: Date): number {
  const day = Date.UTC(time.getFullYear(), time.getMonth(), time.getDate())
  return (day - Date.UTC(time.getFullYear(), 0, 0)) / 86_400_000
}

const DIRECTIVES: ReadonlyMap<string, (time: Date) => string> = new Map([
  ['Y', (time) => String(time.getFullYear())],
  ['y', (time) => two(time.getFullYear() % 100)],
  ['m', (time) => two(time.getMonth() + 1)],
  ['d', (time) => two(time.getDate())],
  ['e', (time) => String(time.getDate()).padStart(2)],
  ['H', (time) => two(time.getHours())],
  ['I', (time) => two(time.getHours() % 12 || 12)],
  ['M', (time) => two(time.getMinutes())],
  ['S', (time) => two(time.getSeconds())],
  ['p', (time) => (time.getHours() < 12 ? 'AM' : 'PM')],
  ['A', dayOf],
  ['a', (time) => dayOf(time).slice(0, 3)],
  ['B', monthOf],
  ['b', (time) => monthOf(time).slice(0, 3)],
  ['j', (time) => String(dayOfYear(time)).padStart(3, '0')],
  ['F', (time) => formatTime(time, '%Y-%m-%d')],
  ['T', (time) => formatTime(time, '%H:%M:%S')],
  ['%', () => '%'],
])

/** @param time  read in the time zone of the machine, as Python's `datetime.now()` */
export function formatTime(time: Date, format: string): string {
  return format.replace(/%(-?)([a-zA-Z%])/g, (directive: string, unpadded: string, letter: string) => {
    const text = DIRECTIVES.get(letter)?.(time)
    return text === undefined ? directive : unpadded === '' ? text : text.replace(/^[0 ]+(?=.)/, '')
  })
}
