/**
 * Counts what a test run came to: tests by their state, one failure more for each file that could not be loaded and for each
 * error outside of a test. Prints 'N passed, N failed' as the last line, or hands the counts to the caller in the file that
 * FORETOKEN_TEST_SUMMARY names, when the run is one step of `npm test`.
 */
import { writeFileSync } from 'node:fs'
import type { Reporter } from 'vitest/node'

interface Counts {
  passed: number
  failed: number
  skipped: number
}

/** @param absentProjects  projects that this machine cannot run: each is named, and counts as one skipped test */
export function summaryReporter(absentProjects: readonly string[] = []): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      const counts: Counts = { passed: 0, failed: unhandledErrors.length, skipped: absentProjects.length }
      for (const name of absentProjects) process.stdout.write(`skipped: ${name}, no Chromium found (FORETOKEN_CHROMIUM names one)\n`)
      for (const module of modules) {
        counts.failed += module.errors().length
        for (const suite of module.children.allSuites()) counts.failed += suite.errors().length
        for (const test of module.children.allTests()) {
          const { state } = test.result()
          if (state === 'pending') counts.failed++
          else counts[state]++
        }
      }
      const file = process.env.FORETOKEN_TEST_SUMMARY
      if (file !== undefined) writeFileSync(file, JSON.stringify(counts))
      else process.once('exit', () => process.stdout.write(`${closingLine(counts)}\n`))
    },
  }
}

function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`
}
