/** Numbers with units, always of about the same width, so that a line that is updated does not jump. */

/** Decimal units, as file managers and hubs have them: '98.4 MB'. */
export function bytes(count: number): string {
  if (!Number.isFinite(count)) return '–'
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = count
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : threeDigits(value)} ${units[unit]}`
}

export function milliseconds(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value >= 9_999.5) return `${(value / 1000).toFixed(1)} s`
  return value >= 999.5 ? `${(value / 1000).toFixed(2)} s` : `${threeDigits(value)} ms`
}

export function perSecond(value: number): string {
  return Number.isFinite(value) && value > 0 ? threeDigits(value) : '–'
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString('en')} ${value === 1 ? one : many}`
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0)
  return value.toFixed(value >= 9.995 ? 1 : 2)
}
