/** Begins to answer when it is imported in a worker; in a page or a main thread nothing happens. */
import { nextTurn, ownPort } from '#host-platform'
import { serve } from './serve.ts'

const port = ownPort()
/** Whether this is a worker that answers. */
export const isServing: boolean = port !== undefined
if (port !== undefined) serve(port, nextTurn)
