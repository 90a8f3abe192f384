import type { Command } from 'commander'
import { Option } from 'commander'
import type { KeyDetails, Keyring, Why } from 'latchkey'
import { LatchkeyError } from 'latchkey'
import { keyringCommand } from './command.ts'
import { Failure } from './exit.ts'
import { atLeastOne } from './input/flags.ts'
import { defined } from './input/defined.ts'
import { timeSaid } from './input/when.ts'
import { putJson } from './json.ts'
import type { TargetOptions } from './target.ts'
import { withKeyring } from './target.ts'
import { putWhy } from './why/print.ts'

interface Options extends TargetOptions {
  readonly owner?: string
  readonly key?: string
  readonly at?: number
  readonly minutes?: number
}

export function whyCommand(program: Command): void {
  keyringCommand(
    program,
    'why [request]',
    'Explain why calls fail, and what to do: of an owner, a key or all round a time, or of one request by the id in "instance" of its answer',
  )
    .option('--owner <owner>', 'The owner whose calls fail')
    .addOption(new Option('--key <id>', 'The key whose calls fail').conflicts('owner'))
    .option(
      '--at <when>',
      'When: 10:04 on the clock of this machine, "2030-01-31 10:04", ISO 8601, or a span before now such as 30m (now)',
      timeSaid,
    )
    .option('--minutes <number>', 'How many minutes before and after to look at (10)', atLeastOne)
    .action(async (request: string | undefined, options: Options) => {
      const { json, owner, key, at, minutes } = options
      const about = [request, owner, key].filter((one) => one !== undefined)
      if (about.length > 1) throw new Failure('usage', 'One at a time: --owner, --key, or the id of one request.')
      const asked = defined({ owner, key, requestId: request, at, minutes })
      await withKeyring(options, { mode: 'read' }, async ({ keyring }) => {
        const why = await keyring.why(asked)
        if (why === undefined) {
          const sentence =
            'No refusal with this id is kept. One is there two seconds after its call, and the oldest are forgotten.'
          throw new Failure('absent', sentence)
        }
        if (json === true) putJson(why)
        else putWhy({ why, keys: await keysIn(why, keyring), about: aboutText(options, request), options })
      })
    })
}

function aboutText({ owner, key }: Options, request: string | undefined): string {
  if (owner !== undefined) return `Keys of ${owner}`
  if (key !== undefined) return `Key ${key}`
  return request === undefined ? 'All keys' : `Request ${request}`
}

/** The keys that were refused, as they are now, as far as they may be read. */
async function keysIn({ refusals }: Why, keyring: Keyring): Promise<ReadonlyMap<string, KeyDetails>> {
  const ids = new Set(refusals.map(({ keyId }) => keyId).filter((id) => id !== undefined))
  const keys = new Map<string, KeyDetails>()
  try {
    for (const id of [...ids].slice(0, mostKeys)) {
      const key = await keyring.find(id)
      if (key !== undefined) keys.set(id, key)
    }
  } catch (error) {
    // The admin key may read refusals and not keys: then they are named by their ids.
    if (!(error instanceof LatchkeyError) || error.code !== 'beyond_delegation') throw error
  }
  return keys
}

/** How many keys are read to be named. */
const mostKeys = 20
