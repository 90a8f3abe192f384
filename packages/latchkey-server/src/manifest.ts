import { readFileSync } from 'node:fs'

// Read by every Node that can read modules at all, so in syntax that is as old as they are.

/** What `package.json` says of this package. */
export const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
  readonly engines: { readonly node: string }
}
