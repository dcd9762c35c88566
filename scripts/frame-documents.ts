/** Documents for tests that need one of their own: `/frame?program=URL&policy=…` runs a module under a content security policy. */
import type { PluginOption } from 'vite'

export function frameDocuments(headers: Readonly<Record<string, string>>): PluginOption {
  return {
    name: 'frame-documents',
    configureServer(server) {
      server.middlewares.use('/frame', (request, response) => {
        const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
        const policy = searchParams.get('policy')
        if (policy !== null) response.setHeader('Content-Security-Policy', policy)
        response.setHeader('Content-Type', 'text/html')
        const program = JSON.stringify(searchParams.get('program') ?? '')
        response.end(`<!doctype html><title>frame</title><script type="module" src=${program}></script>`)
      })
    },
  }
}
