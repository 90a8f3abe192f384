/** The version of this package. A test compares it with `package.json`, which a bundle does not have. */
const version = '0.1.0'

/** Not every platform has it. */
const { process: platform } = globalThis as { readonly process?: { readonly versions?: { readonly node?: string } } }

const node = platform?.versions?.node

/** What the client calls itself. */
export const userAgent: string = `latchkey/${version}${node === undefined ? '' : ` node/${node}`}`
