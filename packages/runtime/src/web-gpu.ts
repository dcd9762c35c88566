/** Whether a page has a GPU to compute on, and what should be known about it. onnxruntime-web asks for its device itself. */
import { UnsupportedDeviceError } from './errors.ts'

/** What is read of WebGPU, so that its absence can be tested. */
export interface GpuAccess {
  requestAdapter(): Promise<GpuAdapter | null>
}

interface GpuAdapter {
  readonly info: { readonly vendor: string; readonly architecture: string; readonly description: string }
  readonly features: { has(name: string): boolean }
}

/**
 * @param gpu       `navigator.gpu`
 * @param isSecure  whether the page came by https or from this machine
 * @returns         notes about the adapter
 * @throws {UnsupportedDeviceError} with the reason when there is none
 */
export async function describeGpu(gpu: GpuAccess | undefined, isSecure: boolean): Promise<readonly string[]> {
  const missing = (found: string, expected: string) => new UnsupportedDeviceError({ field: 'provider', found, expected })
  if (gpu === undefined) {
    throw isSecure
      ? missing('a browser without WebGPU (no navigator.gpu)', "one that has it, or provider: 'wasm'")
      : missing('a page that is not in a secure context, which has no WebGPU', "https or localhost, or provider: 'wasm'")
  }
  const adapter = await gpu.requestAdapter()
  if (adapter === null)
    throw missing('WebGPU without an adapter: the browser or its list of drivers offers no GPU', "a GPU, or provider: 'wasm'")
  const { vendor, architecture, description } = adapter.info
  const name = [vendor, architecture, description].filter((part) => part !== '').join(' ')
  const notes = [`GPU: ${name === '' ? 'its name is not told' : name}`]
  if (/swiftshader|llvmpipe|basic render/i.test(name)) notes.push('the GPU is computed in software: it is right, and slower than wasm')
  if (!adapter.features.has('shader-f16')) notes.push('the GPU has no float16 arithmetic')
  return notes
}
