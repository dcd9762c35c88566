import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** From the manifests that the bench itself would load; a package that is not there has no version. */
export function installedVersions(packages: readonly string[]): Record<string, string> {
  const versions = packages.flatMap((name) => {
    try {
      const manifest: unknown = JSON.parse(
        readFileSync(join(import.meta.dirname, '..', '..', 'node_modules', name, 'package.json'), 'utf8'),
      )
      const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : undefined
      return version === undefined ? [] : [[name, version] as const]
    } catch {
      return []
    }
  })
  return Object.fromEntries(versions)
}
