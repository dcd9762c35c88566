/**
 * The places where a model says that its external data lie. A path that leaves the model's folder could make a reader open any
 * file of the machine (CVE-2022-25882, CVE-2024-27318), so only relative paths downwards are accepted. Symbolic links
 * cannot be seen here: whoever opens the file checks that its real path lies in the folder.
 */
import { OnnxFormatError } from '../errors.ts'

/** @throws {OnnxFormatError} when a location is empty, absolute, climbs with `..`, or names a drive, a scheme or a null character */
export function checkExternalLocation(location: string, tensor?: string): void {
  const segments = location.split(/[/\\]/)
  const isWrong = location === '' || location.includes('\0') || location.includes(':') || segments.includes('..') || segments[0] === ''
  if (!isWrong) return
  const place = tensor === undefined ? { field: 'location' } : { tensor, field: 'location' }
  throw new OnnxFormatError({ ...place, found: JSON.stringify(location), expected: 'a relative path inside of the folder of the model' })
}
