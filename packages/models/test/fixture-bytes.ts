/** The files of `fixtures`, in Node and in a page. */
import { bytesSource, decodeToFloat32, openSafetensors } from '@foretoken/weights'

/** In a variable, or the server of the tests would take the paths for imports. */
const HERE = import.meta.url

export function fixtureUrl(path: string): URL {
  return new URL(`fixtures/${path}`, HERE)
}

/** @param path  below `fixtures` */
export async function fixtureBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = fixtureUrl(path)
  if (url.protocol === 'file:') {
    const { readFile } = await import('node:fs/promises')
    return new Uint8Array(await readFile(url))
  }
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

export async function fixtureText(path: string): Promise<string> {
  return new TextDecoder().decode(await fixtureBytes(path))
}

/** Float32 elements of a tensor of a safetensors file. */
export async function fixtureTensor(path: string, tensor: string): Promise<Float32Array> {
  await using store = await openSafetensors(bytesSource(await fixtureBytes(path), path))
  return decodeToFloat32(await store.read(tensor))
}
