/** Folders of what is too large for the repository; undefined where they are not set, and the tests that need them are skipped by name. */
import process from 'node:process'

export const fixturesFolder: string | undefined = process.env.FORETOKEN_FIXTURES || undefined
export const modelsFolder: string | undefined = process.env.FORETOKEN_MODELS?.split(':')[0] || undefined
