/** Exported names change only together with `api/NAME.txt` (`pnpm build && pnpm api`). */
import { describe, expect, test } from 'vitest'
import { publicApi } from '../public-api.ts'
import { readText, workspacePackages } from '../workspace-packages.ts'

describe.each(workspacePackages())('$name', (workspacePackage) => {
  test('exports exactly the names of its snapshot', () => {
    expect(publicApi(workspacePackage)).toBe(readText(`api/${workspacePackage.name}.txt`))
  })
})
