// Plants a fault in a copy of the sources, and lets a proof run there. The product has no switch for it.

import { spawn } from 'node:child_process'
import {
  cpSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { inTemporaryFolder } from './benchmarks/temporary-folder.ts'
import type { Edit, Outcome } from './proofs/proof.ts'

/** The root of the repository. */
const root = dirname(import.meta.dirname)

/** The parts to copy: the rest is not run. */
const copied = ['package.json', 'packages', 'examples', 'bench', 'test']

/** Folders that are not sources. */
const notSources: ReadonlySet<string> = new Set(['node_modules', 'dist', 'data'])

/** Characters of a proof's last output that a message repeats if the proof was cut off. */
const kept = 2000

/** The line that a proof prints. */
export interface Printed extends Outcome {
  readonly seconds: number
  readonly missed: readonly string[]
  /** Why it could not finish. */
  readonly error?: string
}

/**
 * A file with one of its texts replaced.
 *
 * @throws Error when the text does not stand in it exactly once.
 */
export function planted({ file, text: wanted, becomes }: Edit, folder: string = root): string {
  const source = readFileSync(join(folder, file), 'utf8')
  const parts = source.split(wanted)
  if (parts.length !== 2) {
    const often = parts.length === 1 ? 'nowhere' : `${parts.length - 1} times`
    throw new Error(`The fault no longer fits the sources: ${JSON.stringify(wanted)} stands ${often} in ${file}.`)
  }
  return parts.join(becomes)
}

/**
 * Runs a proof on a copy of the sources, in which some texts are replaced.
 *
 * @example await proveWith({ edits: fault.edits, args: ['revoke', '--n', '40'] })
 */
export async function proveWith({
  edits,
  args,
}: {
  edits: readonly Edit[]
  args: readonly string[]
}): Promise<Printed> {
  return inTemporaryFolder(async (folder) => {
    copySources(folder)
    for (const edit of edits) writeFileSync(join(folder, edit.file), planted(edit, folder))
    const child = spawn(process.execPath, ['--conditions=@latchkey/source', 'bench/prove.ts', ...args], {
      cwd: folder,
      env: environmentIn(folder),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const kill = (): void => void child.kill('SIGTERM')
    process.once('exit', kill)
    const [printed, said] = await Promise.all([text(child.stdout), text(child.stderr)])
    process.off('exit', kill)
    const line = printed.trimEnd().split('\n').at(-1) ?? ''
    if (!line.startsWith('{')) throw new Error(`The proof has printed no figures. ${said.slice(-kept)}`)
    return JSON.parse(line) as Printed
  })
}

/** The copy gets a compile cache of its own: no other run needs it. */
function environmentIn(folder: string): NodeJS.ProcessEnv {
  if (process.env['NODE_COMPILE_CACHE'] === undefined) return process.env
  return { ...process.env, NODE_COMPILE_CACHE: join(folder, 'node_modules', '.cache') }
}

/**
 * Copies the sources, so that an import of `latchkey` there imports the copy.
 *
 * @param names - the files and folders at the root that are copied, `packages` and `examples` among them.
 */
export function copySources(folder: string, names: readonly string[] = copied): void {
  for (const name of names) {
    const filter = (path: string): boolean => !notSources.has(basename(path))
    cpSync(join(root, name), join(folder, name), { recursive: true, filter })
  }
  link(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const place of readdirSync(join(root, 'packages'))) linkOwn(join('packages', place), folder)
  for (const place of readdirSync(join(root, 'examples'))) linkOwn(join('examples', place), folder)
  if (names.includes('bench')) linkOwn('bench', folder)
}

/** The folders of a workspace's own, besides the shared ones. */
function linkOwn(place: string, folder: string): void {
  const own = join(root, place, 'node_modules')
  if (lstatSync(own, { throwIfNoEntry: false }) !== undefined) link(own, join(folder, place, 'node_modules'))
}

/**
 * A folder whose entries lead to those of another. Links, such as those to the workspaces, are copied; caches are left
 * out, because they belong to the original sources.
 */
function link(from: string, to: string): void {
  mkdirSync(to)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.name === '.cache') continue
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    symlinkSync(entry.isSymbolicLink() ? readlinkSync(source) : source, target)
  }
}
