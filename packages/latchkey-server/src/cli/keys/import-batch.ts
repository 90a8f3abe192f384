import { hash } from 'node:crypto'
import type { ImportedKey, Keyring } from 'latchkey'
import { userName } from '../command.ts'
import type { KeyLine } from '../input/imports.ts'
import { serverFaults } from '../server-faults.ts'
import { linesNamed } from './import-report.ts'

/** The keys of a batch, as they were imported. */
export interface Batch {
  readonly ids: readonly string[]
  /** The numbers of the lines that were left out. */
  readonly skipped: readonly number[]
  /** The same batch was imported before. */
  readonly repeated: boolean
}

/** Imports a batch, all or none. The lines are their own idempotency key: sent again within a day they change nothing. */
export async function importChunk(
  keyring: Keyring,
  chunk: readonly KeyLine[],
  { actor = userName(), skipKnown = false }: { readonly actor?: string; readonly skipKnown?: boolean },
): Promise<Batch> {
  const keys = chunk.map(({ key }) => key as ImportedKey<never>)
  try {
    const made = await keyring.importMany(keys, {
      actor,
      skipKnown,
      idempotencyKey: `import ${hash('sha256', JSON.stringify([keys, skipKnown]))}`,
    })
    if (made.repeated) return { ids: made.keys.map(({ id }) => id), skipped: [], repeated: true }
    const skipped = made.skipped.map((place) => chunk[place]?.line ?? 0)
    return { ids: made.created.map(({ id }) => id), skipped, repeated: false }
  } catch (error) {
    throw located(error, chunk)
  }
}

/** The beginning of an error about keys of a call. */
const aboutKeys = /^Keys? ([\d, ]+?)(?: and (\d+) more)? of \d+: /

/** Turns the places of keys within the call, in an error of the library or a server, into the numbers of their lines. */
function located(error: unknown, chunk: readonly KeyLine[]): unknown {
  if (!(error instanceof Error)) return error
  const lineAt = (place: number): number => chunk[place]?.line ?? 0
  const faults = serverFaults(error.message).map(({ path: [, place, ...rest], must }) => {
    return `Line ${lineAt(Number(place))}: ${rest.join('.')} ${must}.`
  })
  const [prefix, places, more = '0'] = aboutKeys.exec(error.message) ?? []
  const named =
    places?.split(', ').map((place) => lineAt(Number(place) - 1)) ?? (chunk.length === 1 ? [lineAt(0)] : undefined)
  const where =
    named === undefined ? `Lines ${lineAt(0)} to ${lineAt(chunk.length - 1)}` : linesNamed(named, Number(more))
  const what = error.message.slice(prefix?.length ?? 0)
  const advice = isKnown(error) ? ' Import the other lines with --skip-known.' : ''
  // The error object stays the same, because its code decides how the command ends.
  error.message = faults.length > 0 ? faults.join('\n') : `${where}: ${what}${advice}`
  return error
}

/** Whether the secrets of some lines are in the keyring already. */
function isKnown(error: Error): boolean {
  return (error as { readonly code?: unknown }).code === 'conflict' && aboutKeys.test(error.message)
}
