/** The version of this package, as `foretoken --version` prints it; a test compares it with package.json. */
export const VERSION = '0.0.0'
