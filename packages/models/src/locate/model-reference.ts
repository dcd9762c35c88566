/**
 * What `--model` may say: a path, a repository of the hub (`organisation/name`, `organisation/name@revision`), or one file in it
 * (`organisation/name/file.gguf`, `organisation/name/onnx/model_q4.onnx`). What exists on the disk is a path, whatever it looks like.
 */
export type ModelReference =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'hub'; readonly repository: string; readonly revision: string; readonly file?: string }

const HUB = /^([A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*?)(?:@(refs\/\w+\/[\w.-]+|[\w./+-]+?))?(?:\/(.+\.(?:gguf|onnx)))?$/

/** @param exists  whether the text is the path of something on the disk */
export function readModelReference(text: string, exists: boolean): ModelReference {
  if (exists || /^(?:[./~\\]|[A-Za-z]:)/.test(text)) return { kind: 'path', path: text }
  const match = HUB.exec(text)
  const [, repository, revision, file] = match ?? []
  // `folder/model.gguf` is a path with a mistake in it rather than a repository: those do not end so.
  if (repository === undefined || (file === undefined && /\.(?:gguf|onnx|safetensors)$/i.test(text))) return { kind: 'path', path: text }
  return { kind: 'hub', repository, revision: revision ?? 'main', ...(file !== undefined && { file }) }
}
