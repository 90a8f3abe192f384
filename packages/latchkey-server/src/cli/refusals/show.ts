import type { Command } from 'commander'
import type { RefusalRecord } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { Failure } from '../exit.ts'
import { iso } from '../input/when.ts'
import { putJson } from '../json.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import type { Fact } from '../terminal/table.ts'
import { putFacts } from '../terminal/table.ts'
import { shownLimit } from './limit.ts'

export function showCommand(refusals: Command): void {
  keyringCommand(
    refusals,
    'show <request>',
    'Explain why a call was refused, by the id in "instance" of its answer',
  ).action(async (request: string, options: TargetOptions) => {
    // Either as the answer has it, or the id alone.
    const id = request.startsWith('urn:uuid:') ? request.slice('urn:uuid:'.length) : request
    const found = await withKeyring(options, { mode: 'read' }, async ({ keyring }) => keyring.refusal(id))
    if (found === undefined) {
      const sentence =
        'No refusal with this id is kept. One is there two seconds after its call, and the oldest are forgotten.'
      throw new Failure('absent', sentence)
    }
    if (options.json === true) return putJson(found)
    putFacts(factsOn(found))
  })
}

function factsOn(found: RefusalRecord): readonly Fact[] {
  const { requirement } = found
  const listed = (names: readonly string[] | undefined): string | undefined => names?.join(', ') || undefined
  return [
    ['request', found.requestId],
    ['time', iso(found.at)],
    ['equal calls', found.count === 1 ? undefined : `${found.count} within one second`],
    ['route', found.route],
    ['address', found.address],
    ['code', found.code],
    ['why', found.why],
    ['step', found.step],
    ['key', found.keyId],
    ['owner', found.owner],
    ['environment', found.environment],
    ['missing scopes', found.code === 'insufficient_scope' ? listed(found.missing) : undefined],
    ['limit', 'limit' in found && found.limit !== undefined ? shownLimit(found.limit) : undefined],
    ['required scopes', listed(requirement?.scopes)],
    ['or one of', listed(requirement?.anyOf)],
    ['required environment', listed(requirement?.environments)],
    ['cost', requirement === undefined ? undefined : String(requirement.cost)],
    ['instance', found.instance],
  ]
}
