import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The path of a file in `test/fixtures`. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
}

export function fixtureJson(name: string): unknown {
  return JSON.parse(readFileSync(fixturePath(name), 'utf8'))
}

export function fixtureBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(fixturePath(name)))
}

/** Larger fixtures and real models, where the machine has them. */
export const sharedFixtures = process.env.FORETOKEN_FIXTURES
export const sharedModels = process.env.FORETOKEN_MODELS
