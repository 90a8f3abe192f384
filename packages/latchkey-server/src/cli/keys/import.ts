import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { hash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { Command } from 'commander'
import { Option } from 'commander'
import type { ImportedKey, Keyring } from 'latchkey'
import { actorOption, createOption, keyringCommand, userName } from '../command.ts'
import { Failure } from '../exit.ts'
import type { ImportLine } from '../input/imports.ts'
import { importLines } from '../input/imports.ts'
import { count, scopePair } from '../input/flags.ts'
import { putJson } from '../json.ts'
import { stoppable } from '../terminal/stop.ts'
import { serverFaults } from '../server-faults.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { say } from '../terminal/print.ts'
import { counted, grouped, startProgress } from '../terminal/progress.ts'

type WeakLine = Extract<ImportLine, { weakness: string }>
type KeyLine = Exclude<ImportLine, WeakLine>

interface Options extends TargetOptions {
  readonly format?: 'csv' | 'jsonl'
  readonly unhashed?: boolean
  readonly bits?: number
  readonly actor?: string
  readonly create?: boolean
  readonly skipKnown?: boolean
  readonly mapScope?: ReadonlyMap<string, readonly string[]>
}

/** The most keys in one call, and the most characters that a server accepts. */
const most = { keys: 1000, characters: 4_000_000 }

export function importCommand(keys: Command): void {
  const command = keyringCommand(
    keys,
    'import [file]',
    'Import keys made elsewhere, by the hashes of their secrets, from a file or standard input',
  )
    .addOption(
      new Option('--format <format>', 'Format of the lines (csv if the file ends in .csv, otherwise jsonl)').choices([
        'csv',
        'jsonl',
      ]),
    )
    .addOption(
      new Option(
        '--plain',
        'The lines hold the keys themselves ("key"). They are hashed here, and nothing else is sent or kept',
      ).implies({ unhashed: true }),
    )
    .option('--bits <number>', 'Random bits of each secret whose line has no "bits"', count)
    .addOption(
      new Option(
        '--map-scope <pair>',
        'A scope of the other system and the ones for it here: theirs=ours, theirs=ours,other, or theirs= for none. Repeat the flag for more',
      ).argParser(scopePair),
    )
    .option('--skip-known', 'Leave out the lines whose secrets are in the keyring already, and name them')
  createOption(actorOption(command)).action(async (file: string | undefined, options: Options) => {
    const { format = file?.endsWith('.csv') === true ? 'csv' : 'jsonl', unhashed = false, bits, mapScope } = options
    const input = await openInput(file)
    const lines = importLines(input, {
      format,
      unhashed,
      bits,
      ...(mapScope === undefined ? {} : { scopeMap: mapScope }),
    })
    const unheard = stoppable({
      // The current batch is finished; nothing more is read after it.
      stop: () => input.destroy(new Failure('stopped', 'Stopped.')),
      message: 'Stopping after the current batch. Press Ctrl-C once more to stop at once.',
      messageAtOnce:
        'Stopped at once: the last batch may be imported or not. Run the same import again: it recognises keys that are already there.',
    })
    try {
      await withKeyring(options, { mode: 'write', create: options.create }, async ({ keyring }) =>
        importAll(keyring, lines, options),
      )
    } finally {
      unheard()
    }
  })
}

async function openInput(file: string | undefined): Promise<Readable> {
  if (file === undefined || file === '-') {
    if (process.stdin.isTTY) throw new Failure('usage', 'Name a file, or send the lines on standard input.')
    return process.stdin
  }
  const input = createReadStream(file)
  try {
    await once(input, 'open')
    return input
  } catch (error) {
    throw new Failure('usage', `${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`, { cause: error })
  }
}

async function importAll(keyring: Keyring, lines: AsyncIterable<ImportLine>, options: Options): Promise<void> {
  const { json } = options
  const progress = startProgress()
  const done = { added: 0, known: 0 }
  const skipped: number[] = []
  let chunk: KeyLine[] = []
  const weak: WeakLine[] = []
  let characters = 0
  const send = async (): Promise<void> => {
    if (chunk.length === 0) return
    const made = await importChunk(keyring, chunk, options)
    if (json === true) for (const id of made.ids) putJson({ id, repeated: made.repeated })
    done.added += made.repeated ? 0 : made.ids.length
    done.known += chunk.length - (made.repeated ? 0 : made.ids.length)
    skipped.push(...made.skipped)
    chunk = []
    progress.at(`Importing … ${counted(done.added + done.known, 'key')}`)
  }
  try {
    for await (const line of lines) {
      if ('weakness' in line) weak.push(line)
      // After the first weak key nothing more is imported: the rest is only checked.
      if ('weakness' in line || weak.length > 0) continue
      chunk.push(line)
      characters += JSON.stringify(line.key).length
      if (chunk.length < most.keys && characters < most.characters) continue
      await send()
      characters = 0
    }
    if (weak.length > 0) throw tooWeak(weak)
    await send()
  } catch (error) {
    progress.end()
    const reached = done.added + done.known
    if (reached > 0)
      say(
        `${summary(done)} Of the rest nothing was added. Run the same import again: it recognises keys that are already there.`,
      )
    throw error
  } finally {
    progress.end()
  }
  if (skipped.length > 0) say(`${linesNamed(skipped)}: left out, their secrets are in the keyring already.`)
  say(summary(done))
}

/** The most lines that are named. */
const mostNamed = 20

/** Names some lines: "Lines 3, 7 and 31 more". */
function linesNamed(numbers: readonly number[], further = 0): string {
  const named = numbers.slice(0, mostNamed)
  const more = numbers.length - named.length + further
  return `Line${numbers.length + further === 1 ? '' : 's'} ${named.join(', ')}${more === 0 ? '' : ` and ${grouped(more)} more`}`
}

/** Names each weak line, so that all can be corrected at once. */
function tooWeak(weak: readonly WeakLine[]): Failure {
  const named = weak.slice(0, mostNamed).map(({ line, weakness }) => `Line ${line}: its key ${weakness}.`)
  const more = weak.length - named.length
  const rest = more === 0 ? [] : [`And ${counted(more, 'more line')}.`]
  return new Failure(
    'usage',
    [...named, ...rest, 'Remove these lines, and issue new keys to their callers.'].join('\n'),
  )
}

function summary({ added, known }: { readonly added: number; readonly known: number }): string {
  return `${counted(added, 'key')} imported${known === 0 ? '' : `, ${grouped(known)} already there`}.`
}

/** The keys of a batch, as they were imported. */
interface Batch {
  readonly ids: readonly string[]
  /** The numbers of the lines that were left out. */
  readonly skipped: readonly number[]
  /** The same batch was imported before. */
  readonly repeated: boolean
}

/** Imports a batch, all or none. The lines are their own idempotency key: sent again within a day they change nothing. */
async function importChunk(
  keyring: Keyring,
  chunk: readonly KeyLine[],
  { actor = userName(), skipKnown = false }: Options,
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
