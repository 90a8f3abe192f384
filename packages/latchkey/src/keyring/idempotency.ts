import { hash } from 'node:crypto'
import { LatchkeyError } from '../error.ts'
import { anyText, bounds } from '../input.ts'
import type { IdempotentCall, IdempotentResult, Store } from '../ports.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { IdempotencyOptions } from './call-options.ts'

/**
 * The record that makes a call happen once; `undefined` without an idempotency key.
 *
 * @param asked - the whole request of the call. A call with the same idempotency key and another request is refused.
 */
export function idempotentCallOf<Scope extends string>(
  { authority, clock }: Pick<KeyringParts<Scope>, 'authority' | 'clock'>,
  { idempotencyKey, actor }: IdempotencyOptions & { readonly actor: string },
  asked: readonly unknown[],
): IdempotentCall | undefined {
  if (idempotencyKey === undefined) return undefined
  return {
    // Scope the key to the authenticated caller, not to `actor`: two callers may use the same one.
    actor: authority ?? actor,
    idempotencyKey: anyText('idempotencyKey', idempotencyKey, bounds.idempotencyKey),
    fingerprint: hash('sha256', JSON.stringify(asked, inOrder), 'hex'),
    at: clock.now(),
  }
}

/** Members in the order of their names: in another order an object is the same (RFC 8259 4). */
function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

/**
 * The result of the same call, if it was made before.
 *
 * @throws LatchkeyError `idempotency_key_reused` when its idempotency key was used for another call.
 */
export async function resultBefore(
  store: Pick<Store, 'idempotentResult'>,
  call: IdempotentCall | undefined,
): Promise<IdempotentResult | undefined> {
  const done = call === undefined ? undefined : await store.idempotentResult(call)
  if (done === undefined || done.fingerprint === call?.fingerprint) return done
  throw new LatchkeyError('idempotency_key_reused', 'This idempotency key was used for another call. Send a new one.')
}
