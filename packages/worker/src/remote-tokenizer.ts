import type { Connection } from './connection.ts'
import type { HostedTokenizer } from './hosted-tokenizer.ts'
import { requirePlainData } from './messages/plain-data.ts'
import type { ModelFacts } from './messages/protocol.ts'

export function remoteTokenizer(connection: Connection, facts: NonNullable<ModelFacts['tokenizer']>): HostedTokenizer {
  return {
    ...facts,
    encode: (text, options) => connection.call({ name: 'encode', text, options }),
    decode: (ids, options) => connection.call({ name: 'decode', ids, options }),
    view: (text, options) => connection.call({ name: 'view', text, options }),
    viewIds: (ids) => connection.call({ name: 'viewIds', ids }),
    async render(messages, options) {
      requirePlainData({ messages, options }, 'render')
      return connection.call({ name: 'render', messages, options })
    },
    async encodeMessages(messages, options) {
      requirePlainData({ messages, options }, 'encodeMessages')
      return connection.call({ name: 'encodeMessages', messages, options })
    },
  }
}
