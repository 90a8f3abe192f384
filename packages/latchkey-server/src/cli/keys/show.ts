import type { Command } from 'commander'
import type { KeyDetails } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { Failure } from '../exit.ts'
import { limitText, quotaText } from '../input/limits.ts'
import { iso } from '../input/when.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { putFacts } from '../terminal/table.ts'
import { putJson } from '../terminal/print.ts'

export function showCommand(keys: Command): void {
  keyringCommand(keys, 'show <id>', 'a key with all that is kept of it').action(
    async (id: string, options: TargetOptions) => {
      const key = await withKeyring(options, { mode: 'read' }, async ({ keyring }) => keyring.find(id))
      if (key === undefined) throw new Failure('absent', 'No key has this id.')
      putKey(key, options)
    },
  )
}

/** A key as the command line shows it. */
function putKey(key: KeyDetails, { json }: { readonly json?: boolean }): void {
  if (json === true) putJson(key, ['at'])
  else putFacts(factsOf(key))
}

function factsOf(key: KeyDetails): readonly (readonly [string, string | undefined])[] {
  const { revoked, delegation, quota, quotaLeft } = key
  const when = (at: number | null): string | undefined => (at === null ? undefined : iso(at))
  const left = quotaLeft === null ? '' : `, ${quotaLeft.remaining} left`
  return [
    ['id', key.id],
    ['name', key.name],
    ['owner', key.owner],
    ['environment', key.environment],
    ['state', key.state],
    ['scopes', key.scopes.join(', ') || 'none'],
    [
      'revoked',
      revoked === null ? undefined : [iso(revoked.at), revoked.reason, revoked.note].filter(Boolean).join(', '),
    ],
    ['disabled', when(key.disabledAt)],
    ['created', iso(key.createdAt)],
    ['valid from', when(key.notBefore)],
    ['valid until', when(key.expiresAt) ?? 'for ever'],
    ['addresses', key.addresses?.join(', ') ?? 'any'],
    ['limits', key.limits.map(limitText).join(', ') || 'none'],
    ['quota', quota === null ? 'none' : quotaText(quota) + left],
    [
      'metadata',
      Object.entries(key.metadata)
        .map((pair) => pair.join('='))
        .join(', ') || undefined,
    ],
    ['gives keys of', delegation === null ? undefined : (delegation.owner ?? 'all owners')],
    ['gives environments', delegation?.environments.join(', ')],
    ['gives scopes', delegation?.scopes.join(', ')],
    ['last used', when(key.lastUsedAt) ?? 'never'],
    ['revision', String(key.revision)],
    ...key.secrets.map(({ start, kind, endsAt, lastUsedAt }, index): readonly [string, string] => [
      index === 0 ? 'secret' : 'old secret',
      [
        start === '' ? '(not shown)' : `${start}…`,
        ...(kind === 'minted' ? [] : [`imported by ${kind}`]),
        ...(endsAt === null ? [] : [`works until ${iso(endsAt)}`]),
        lastUsedAt === null ? 'never used' : `last used ${iso(lastUsedAt)}`,
      ].join(', '),
    ]),
  ]
}
