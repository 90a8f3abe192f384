import type { StoredSecret } from '../ports.ts'
import { hashSecret } from '../secret/hash.ts'
import { mint } from '../secret/mint.ts'
import { parse } from '../secret/parse.ts'
import type { KeyringParts } from '../verify/parts.ts'

/** A new secret, and the record of it that is stored. */
export interface Minted {
  readonly secret: string
  readonly stored: StoredSecret
}

/** Mints a secret for a key of an environment that is issued or rotated at `now`. */
export function mintSecret<Scope extends string>(
  { prefix, authority }: Pick<KeyringParts<Scope>, 'prefix' | 'authority'>,
  environment: string,
  now: number,
): Minted {
  const secret = mint({ prefix, environment })
  const parsed = parse(secret)
  const start = typeof parsed === 'object' ? parsed.start : ''
  return {
    secret,
    stored: newSecret({ hash: hashSecret(secret), kind: 'minted', start, now, issuedBy: authority ?? null }),
  }
}

/** A new secret of a key, made at `now`; unused if nothing else is known. */
export function newSecret({
  now,
  ...known
}: Pick<StoredSecret, 'hash' | 'kind' | 'start' | 'issuedBy'> &
  Partial<Pick<StoredSecret, 'before' | 'lastUsedAt'>> & { readonly now: number }): StoredSecret {
  return { before: null, lastUsedAt: null, ...known, createdAt: now, retiredAt: null, endsAt: null, ended: false }
}
