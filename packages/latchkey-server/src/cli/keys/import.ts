import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import type { Command } from 'commander'
import { Option } from 'commander'
import type { Keyring } from 'latchkey'
import { wildcardOf } from 'latchkey'
import { actorOption, createOption, keyringCommand } from '../command.ts'
import { Failure } from '../exit.ts'
import type { KeyLine, RefusedLine } from '../input/imports.ts'
import { importLines } from '../input/imports.ts'
import { count, scopePair } from '../input/flags.ts'
import { putJson } from '../json.ts'
import { stoppable } from '../terminal/stop.ts'
import type { System } from '../input/systems.ts'
import { systems } from '../input/systems.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { say } from '../terminal/print.ts'
import { counted, startProgress } from '../terminal/progress.ts'
import { importChunk } from './import-batch.ts'
import type { LinesByReason } from './import-report.ts'
import { linesNamed, noteLine, sayReasons, summary, tooWeak, unmapped } from './import-report.ts'

interface Options extends TargetOptions {
  readonly format?: 'csv' | 'jsonl'
  readonly unhashed?: boolean
  readonly bits?: number
  readonly actor?: string
  readonly create?: boolean
  readonly skipKnown?: boolean
  readonly from?: System
  readonly mapScope?: ReadonlyMap<string, readonly string[]>
}

/** The most keys in one call, and the most characters that a server accepts. */
const most = { keys: 1000, characters: 4_000_000 }

/** What to do after an import that did not reach its end. A batch that is sent again is known for a day. */
const again =
  'Run the same import again: within a day it recognises keys that are already there. After that, add --skip-known.'

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
      new Option('--from <system>', 'The lines are rows of this system, as the query of its guide writes them').choices(
        systems,
      ),
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
    const { format = file?.endsWith('.csv') === true ? 'csv' : 'jsonl', unhashed = false } = options
    const { bits, mapScope: scopeMap = new Map(), from } = options
    if (unhashed && from !== undefined) throw new Failure('usage', 'Use one of --from and --plain.')
    const input = await openInput(file)
    const lines = importLines(input, { format, unhashed, bits, scopeMap, from })
    const unheard = stoppable({
      // The current batch is finished; nothing more is read after it.
      stop: () => input.destroy(new Failure('stopped', 'Stopped.')),
      message: 'Stopping after the current batch. Press Ctrl-C once more to stop at once.',
      messageAtOnce: `Stopped at once: the last batch may be imported or not. ${again}`,
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

async function importAll(
  keyring: Keyring,
  lines: AsyncIterable<KeyLine | RefusedLine>,
  options: Options,
): Promise<void> {
  const { json, from } = options
  const progress = startProgress()
  const done = { added: 0, known: 0 }
  const skipped: number[] = []
  const leftOut: LinesByReason = new Map()
  const losses: LinesByReason = new Map()
  const weak: RefusedLine[] = []
  const foreign = new Set<string>()
  let chunk: KeyLine[] = []
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
      if (!('key' in line)) {
        if (line.weakness !== undefined) weak.push(line)
        if (line.leftOut !== undefined) noteLine(leftOut, line.leftOut, line.line)
        continue
      }
      if (from !== undefined) for (const scope of foreignScopes(keyring, line)) foreign.add(scope)
      for (const loss of line.losses) noteLine(losses, loss, line.line)
      // After the first fault nothing more is imported: the rest is only checked.
      if (weak.length > 0 || foreign.size > 0) continue
      chunk.push(line)
      characters += JSON.stringify(line.key).length
      if (chunk.length < most.keys && characters < most.characters) continue
      await send()
      characters = 0
    }
    if (weak.length > 0) throw tooWeak(weak)
    if (foreign.size > 0) throw unmapped(foreign)
    await send()
  } catch (error) {
    progress.end()
    const reached = done.added + done.known
    if (reached > 0) say(`${summary(done)} Of the rest nothing was added. ${again}`)
    throw error
  } finally {
    progress.end()
  }
  sayReasons(leftOut, 'left out,')
  sayReasons(losses, 'taken without')
  if (skipped.length > 0) say(`${linesNamed(skipped)}: left out, their secrets are in the keyring already.`)
  say(summary(done))
}

/** The scopes of a key that are not declared here. */
function foreignScopes({ scopes }: Keyring, { key }: KeyLine): readonly string[] {
  const declared = new Set(Object.keys(scopes).flatMap((scope) => [scope, wildcardOf(scope)]))
  return key.scopes.filter((scope) => !declared.has(scope))
}
