/** Chats in IndexedDB, one record each. Every failure of the storage is a `HistoryError`; the page goes on without it. */
import { HistoryError } from './playground-errors.ts'
import { parseSavedChat, type SavedChat } from './saved-chat.ts'

const DATABASE = 'foretoken-playground'
const STORE = 'chats'

export interface ChatHistory {
  /** Newest first. Chats that cannot be read are left out. */
  all(): Promise<readonly SavedChat[]>
  save(chat: SavedChat): Promise<void>
  remove(id: string): Promise<void>
}

/** @throws {HistoryError} when the browser keeps nothing for this page */
export async function openChatHistory(): Promise<ChatHistory> {
  const database = await guarded(() => openDatabase())
  const run = <T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> =>
    guarded(
      () =>
        new Promise((resolve, reject) => {
          const transaction = database.transaction(STORE, mode)
          const request = act(transaction.objectStore(STORE))
          transaction.oncomplete = () => resolve(request.result)
          transaction.onerror = () => reject(transaction.error)
          transaction.onabort = () => reject(transaction.error)
        }),
    )
  return {
    async all() {
      const stored: readonly unknown[] = await run('readonly', (store) => store.getAll())
      return stored.flatMap(readable).toSorted((a, b) => b.changedAt - a.changedAt)
    },
    async save(chat) {
      await run('readwrite', (store) => store.put(chat))
    },
    async remove(id) {
      await run('readwrite', (store) => store.delete(id))
    },
  }
}

function readable(stored: unknown): readonly SavedChat[] {
  try {
    return [parseSavedChat(stored)]
  } catch {
    return []
  }
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' })
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
    request.onblocked = () => reject(new Error('another tab has an older page open'))
  })
}

async function guarded<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    const found = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    throw new HistoryError({ field: 'IndexedDB', found, expected: 'storage for this page' }, { cause: error })
  }
}
