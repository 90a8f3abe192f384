import { hashSecret } from '../key/hash.ts'
import { mint } from '../key/mint.ts'
import { parse } from '../key/parse.ts'
import type { StoredSecret } from '../ports.ts'

/** A new secret, and what is kept of it. */
export interface Minted {
  readonly secret: string
  readonly stored: StoredSecret
}

/** Mints a secret for a key that is issued or rotated at `now`. */
export function mintSecret({
  prefix,
  environment,
  now,
}: {
  readonly prefix: string
  readonly environment: string
  readonly now: number
}): Minted {
  const secret = mint({ prefix, environment })
  const parsed = parse(secret)
  const start = typeof parsed === 'object' ? parsed.start : ''
  return {
    secret,
    stored: {
      hash: hashSecret(secret),
      kind: 'minted',
      start,
      createdAt: now,
      retiredAt: null,
      endsAt: null,
      lastUsedAt: null,
    },
  }
}
