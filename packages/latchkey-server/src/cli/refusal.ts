import type { Command } from 'commander'
import { keyringCommand } from './command.ts'
import { Failure } from './exit.ts'
import { iso } from './input/when.ts'
import { putJson } from './json.ts'
import type { TargetOptions } from './target.ts'
import { withKeyring } from './target.ts'
import { putFacts } from './terminal/table.ts'

export function refusalCommand(program: Command): void {
  keyringCommand(
    program,
    'refusal <request>',
    'Explain why a call was refused, by the id in "instance" of its answer (needs --url)',
  ).action(async (request: string, options: TargetOptions) => {
    // Either as the answer has it, or the id alone.
    const id = request.startsWith('urn:uuid:') ? request.slice('urn:uuid:'.length) : request
    const found = await withKeyring(options, { mode: 'read' }, async ({ keyring, where }) => {
      if (where === 'store') {
        throw new Failure('usage', 'Only the server that refused a call remembers why. Ask it with --url.')
      }
      return keyring.refusal(id)
    })
    if (found === undefined)
      throw new Failure('absent', 'The server remembers no refusal with this id. It forgets the oldest first.')
    if (options.json === true) return putJson(found)
    putFacts([
      ['request', found.requestId],
      ['time', iso(found.at)],
      ['route', found.route],
      ['code', found.code],
      ['why', found.why],
      ['step', found.step],
      ['key', found.keyId],
      ['owner', found.owner],
      ['environment', found.environment],
      ['missing scopes', found.missing?.join(', ')],
    ])
  })
}
