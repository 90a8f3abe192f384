// `npm run check:release -- v1.2.3`: whether a tag may be published: both packages have its version, the server depends
// on that version of the library, and the changelog has a section with a date for it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The facts that a release is compared with. */
export interface Release {
  readonly tag: string
  readonly library: { readonly version: string }
  readonly server: { readonly version: string; readonly dependencies: Readonly<Record<string, string>> }
  readonly changelog: string
}

/** Why this may not be published; empty if it may. */
export function releaseFaults({ tag, library, server, changelog }: Release): readonly string[] {
  const faults: string[] = []
  const version = /^v(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/.exec(tag)?.[1]
  if (version === undefined) return [`the tag must be v and a version, as v1.2.3, and is ${tag}`]
  for (const [name, found] of [
    ['latchkey has the version', library.version],
    ['latchkey-server has the version', server.version],
    ['latchkey-server depends on latchkey', server.dependencies['latchkey']],
  ]) {
    if (found !== version) faults.push(`${name} ${found}, and the tag says ${version}`)
  }
  const dated = changelog.split('\n').some((line) => /^## (\S+), \d{4}-\d{2}-\d{2}$/.exec(line)?.[1] === version)
  if (!dated) faults.push(`CHANGELOG.md has no section "## ${version}, " and the day`)
  return faults
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..')
  const read = (path: string): string => readFileSync(join(root, path), 'utf8')
  const faults = releaseFaults({
    tag: process.argv[2] ?? '',
    library: JSON.parse(read('packages/latchkey/package.json')) as Release['library'],
    server: JSON.parse(read('packages/latchkey-server/package.json')) as Release['server'],
    changelog: read('CHANGELOG.md'),
  })
  for (const fault of faults) console.error(fault)
  process.exitCode = faults.length === 0 ? 0 : 1
}
