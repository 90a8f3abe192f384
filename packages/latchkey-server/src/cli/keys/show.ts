import type { Command } from 'commander'
import type { KeyDetails, KeyMembers, Keyring, Secret } from 'latchkey'
import { LatchkeyError } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { iso } from '../input/when.ts'
import { sentenceOf } from '../journal/sentence.ts'
import { putJson } from '../json.ts'
import { fieldFacts } from '../key-fields/shown.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import type { Fact } from '../terminal/table.ts'
import { putFacts } from '../terminal/table.ts'
import { mustFind } from './find.ts'

export function showCommand(keys: Command): void {
  keyringCommand(keys, 'show <id>', 'Show a key with all its details').action(
    async (id: string, options: TargetOptions) => {
      await withKeyring(options, { mode: 'read' }, async ({ keyring }) => {
        const key = await mustFind(keyring, id)
        if (options.json === true) return putJson(key)
        const last = await lastChange(keyring, id)
        putFacts([...Object.values(page).flatMap((rows) => rows(key)), ['last change', last]])
      })
    },
  )
}

/** Who changed the key last, when and why; `undefined` for an admin key that may not read the journal. */
async function lastChange(keyring: Keyring, key: string): Promise<string | undefined> {
  try {
    const [entry] = (await keyring.journal({ key, limit: 1 })).entries
    return entry === undefined ? undefined : `${iso(entry.at)}, ${sentenceOf(entry)}`
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === 'beyond_delegation') return undefined
    throw error
  }
}

/** Members that another row shows: rows of secrets its start and the rotation, the row of the quota the rest of it. */
type Within = 'start' | 'rotation' | 'quotaLeft'

/** The rows of a page, in order. Each member of a key has one; `fields` stands for those of the table of fields. */
const page: Readonly<
  Record<Exclude<keyof KeyDetails, keyof KeyMembers<string> | Within> | 'fields', (key: KeyDetails) => readonly Fact[]>
> = {
  id: ({ id }) => [['id', id]],
  state: ({ state }) => [['state', state]],
  revoked: ({ revoked }) =>
    revoked === null ? [] : [['revoked', [iso(revoked.at), revoked.reason, revoked.note].filter(Boolean).join(', ')]],
  disabledAt: ({ disabledAt }) => [['disabled', when(disabledAt)]],
  disabledBy: ({ disabledBy }) => [['disabled by', disabledBy ?? undefined]],
  environment: ({ environment }) => [['environment', environment]],
  fields: fieldFacts,
  createdAt: ({ createdAt }) => [['created', iso(createdAt)]],
  lastUsedAt: ({ lastUsedAt }) => [['last used', when(lastUsedAt) ?? 'never']],
  revision: ({ revision }) => [['revision', String(revision)]],
  secrets: ({ secrets }) => secrets.map((secret, index) => [index === 0 ? 'secret' : 'old secret', secretText(secret)]),
  endedSecrets: ({ endedSecrets }) => endedSecrets.map((secret) => ['ended secret', secretText(secret)]),
}

function when(at: number | null): string | undefined {
  return at === null ? undefined : iso(at)
}

function secretText({ start, kind, endsAt, lastUsedAt }: Secret): string {
  return [
    start === '' ? '(not shown)' : `${start}…`,
    ...(kind === 'minted' ? [] : [`imported by ${kind}`]),
    ...(endsAt === null ? [] : [`${endsAt > Date.now() ? 'works until' : 'ended'} ${iso(endsAt)}`]),
    lastUsedAt === null ? 'never used' : `last used ${iso(lastUsedAt)}`,
  ].join(', ')
}
