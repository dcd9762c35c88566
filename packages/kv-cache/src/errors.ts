import { ForetokenError } from '@foretoken/tensor'

/** A cache would have to hold more rows than its `maxCapacity`. Nothing was appended. */
export class CacheCapacityError extends ForetokenError {
  readonly code = 'cache-capacity'
}
