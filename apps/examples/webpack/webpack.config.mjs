import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

const folder = import.meta.dirname
mkdirSync(join(folder, 'dist'), { recursive: true })
copyFileSync(join(folder, 'index.html'), join(folder, 'dist', 'index.html'))

export default {
  mode: 'production',
  entry: join(folder, 'main.js'),
  output: {
    path: join(folder, 'dist'),
    filename: 'main.js',
    module: true,
    publicPath: 'auto',
    chunkFormat: 'module',
    workerChunkLoading: 'import',
  },
  experiments: { outputModule: true },
  performance: { hints: false },
}
