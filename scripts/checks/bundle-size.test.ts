import { describe, expect, test } from 'vitest'
import budgets from '../bundle-budgets.json' with { type: 'json' }
import { bundleBytes } from '../bundle-size.ts'
import { workspacePackages } from '../workspace-packages.ts'

const budgetBytes = new Map<string, number>(Object.entries(budgets))

describe.each(workspacePackages())('$name', (workspacePackage) => {
  test('its own code fits its budget', async () => {
    expect(await bundleBytes(workspacePackage)).toBeLessThanOrEqual(budgetBytes.get(workspacePackage.name) ?? 0)
  })
})
