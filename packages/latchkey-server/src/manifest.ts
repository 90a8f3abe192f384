import { readFileSync } from 'node:fs'

// Every Node that has modules must be able to read this file, so its syntax is old.

/** The `package.json` of this package. */
export const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
  readonly engines: { readonly node: string }
}
