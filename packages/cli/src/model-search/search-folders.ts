/** Which folders the environment names. Read once by the commands; everything below is given its folders. */
import { delimiter, join } from 'node:path'

export interface Environment {
  readonly [name: string]: string | undefined
}

export interface CacheFolders {
  /** Shared with the hub's own Python and JavaScript libraries: `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `HF_HOME`/hub, or the user's cache folder. */
  readonly hub: string
  /** For what does not come from the hub: `XDG_CACHE_HOME` or `~/.cache`, and `foretoken`. */
  readonly foretoken: string
}

/** @param home  the user's home folder */
export function cacheFolders(environment: Environment, home: string): CacheFolders {
  const userCache = environment.XDG_CACHE_HOME || join(home, '.cache')
  const hubHome = environment.HF_HOME || join(userCache, 'huggingface')
  return {
    hub: environment.HF_HUB_CACHE || environment.HUGGINGFACE_HUB_CACHE || join(hubHome, 'hub'),
    foretoken: join(userCache, 'foretoken'),
  }
}

/** The folders of `FORETOKEN_MODELS`, separated as in `PATH`. */
export function modelFolders(environment: Environment): string[] {
  return (environment.FORETOKEN_MODELS ?? '').split(delimiter).filter((folder) => folder.trim() !== '')
}
