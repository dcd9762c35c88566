/** Writes `api/NAME.txt` for every package, after a build: `pnpm api`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { publicApi } from './public-api.ts'
import { root, workspacePackages } from './workspace-packages.ts'

mkdirSync(join(root, 'api'), { recursive: true })
for (const workspacePackage of workspacePackages()) {
  writeFileSync(join(root, 'api', `${workspacePackage.name}.txt`), publicApi(workspacePackage))
}
