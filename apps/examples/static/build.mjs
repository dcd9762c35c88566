/**
 * No bundler: `dist/packages/` gets each package as it is published, and the page an import map that says where their names lie. A content delivery
 * network that serves packages file by file takes the place of that folder.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const folder = import.meta.dirname
const output = join(folder, 'dist')
const map = { imports: {}, scopes: {} }

rmSync(output, { recursive: true, force: true })
mkdirSync(output)
for (const name of ['@foretoken/generation', '@foretoken/models', 'onnxruntime-web']) add(name, folder)
const page = readFileSync(join(folder, 'index.html'), 'utf8')
writeFileSync(
  join(output, 'index.html'),
  page.replace('<script type="importmap">{}', () => `<script type="importmap">${JSON.stringify(map)}`),
)
cpSync(join(folder, 'main.js'), join(output, 'main.js'))

/** Copies a package and what it depends on. */
function add(name, from) {
  const place = `./packages/${name}/`
  if (map.scopes[place] !== undefined) return
  const root = packageFolder(name, from)
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  map.scopes[place] = {}
  for (const [path, target] of Object.entries(manifest.exports ?? { '.': manifest.module ?? manifest.main })) {
    const file = chosen(target)
    if (file !== undefined && !path.includes('*')) map.imports[join(name, path)] = place + file.replace('./', '')
  }
  for (const [inner, target] of Object.entries(manifest.imports ?? {})) map.scopes[place][inner] = place + chosen(target).replace('./', '')
  cpSync(root, join(output, 'packages', name), {
    recursive: true,
    dereference: true,
    filter: (file) => isServed(name, file.slice(root.length)),
  })
  // The runtime's page script holds all that it needs.
  if (name === 'onnxruntime-web') return
  for (const other of Object.keys(manifest.dependencies ?? {})) if (other !== 'onnxruntime-common') add(other, root)
}

/** Scripts, and of the runtime what runs graphs in wasm. */
function isServed(name, file) {
  if (/^\/(node_modules|src|test)\b/.test(file)) return false
  if (!/\.[a-z]+$/.test(file)) return true
  if (name !== 'onnxruntime-web') return /\.m?js$/.test(file)
  return /\/(ort\.wasm\.bundle\.min\.mjs|ort-wasm-simd-threaded\.(mjs|wasm))$/.test(file)
}

/** What a page gets of a condition object. */
function chosen(target) {
  if (target === null || typeof target !== 'object') return target ?? undefined
  return chosen(target.import ?? target.default)
}

function packageFolder(name, from) {
  const paths = createRequire(join(from, 'package.json')).resolve.paths(name) ?? []
  for (const each of paths) {
    try {
      readFileSync(join(each, name, 'package.json'))
      return join(each, name)
    } catch {}
  }
  throw new Error(`found no package ${name} beside ${dirname(from)}, expected it to be installed`)
}
