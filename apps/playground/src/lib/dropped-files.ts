/** The files behind a drop or a file dialog, with their paths; folders that were dropped are walked. */
export interface PathFile {
  readonly path: string
  readonly file: File
}

/** More files than a checkpoint has: somebody dropped a home folder. */
const MOST_FILES = 1000

/** Has to be called while the event is handled: the browser empties the list afterwards. */
export function droppedFiles(transfer: DataTransfer): Promise<readonly PathFile[]> {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  return entries.length > 0 ? walk(entries) : Promise.resolve(chosenFiles(transfer.files))
}

export function chosenFiles(files: FileList | null): readonly PathFile[] {
  return Array.from(files ?? [], (file) => ({ path: file.webkitRelativePath || file.name, file }))
}

async function walk(roots: readonly FileSystemEntry[]): Promise<readonly PathFile[]> {
  const found: PathFile[] = []
  const waiting = [...roots]
  for (let entry = waiting.shift(); entry !== undefined && found.length < MOST_FILES; entry = waiting.shift()) {
    if (isFile(entry)) {
      found.push({ path: entry.fullPath.replace(/^\//, ''), file: await fileOf(entry) })
    } else if (isFolder(entry)) {
      const reader = entry.createReader()
      for (;;) {
        const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
        if (part.length === 0) break
        waiting.push(...part)
      }
    }
  }
  return found
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject))
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory
}
