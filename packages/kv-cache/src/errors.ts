import { ForetokenError } from '@foretoken/tensor'

/** A cache would have to hold more rows than its `maxCapacity`. Nothing was appended. */
export class CacheCapacityError extends ForetokenError {
  readonly code = 'cache-capacity'
}

/** A recurrent layer's state cannot be brought to the rows that were asked for: it is not held any more, or never was. Nothing changed. */
export class CacheStateError extends ForetokenError {
  readonly code = 'cache-state'
}
