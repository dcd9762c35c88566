// What a worker runs: importing this serves a model to the thread that made the worker.
export { isServing } from './host/start-serving.ts'
