import { anyText, bounds, integer, membersOf, objectOf, oneOf, text, timestamp } from '../../input.ts'
import type { RefusalCode } from '../../refusal.ts'
import { refusals as known } from '../../refusal.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import type { RefusalRecord } from '../../verify/refusal-record.ts'
import { recordOf } from '../../verify/refusal-record.ts'
import { keptId } from '../../verify/refused-call.ts'
import type { Authority } from '../authority.ts'
import { authorityOf } from '../authority.ts'
import { cursorsOf } from './cursor.ts'

/** The filter of refusals to read, and their page. */
export interface RefusalsOptions {
  /** Only refusals of the key with this id. */
  readonly key?: string
  /** Only refusals of keys that this owner had at that time. */
  readonly owner?: string
  /** Only refusals with this code. */
  readonly code?: RefusalCode
  /** Only refusals at this route, as it was declared, e.g. `POST /orders/:id`. */
  readonly route?: string
  /** Only from this time on, in milliseconds since 1970. */
  readonly from?: number
  /** Only before this time, in milliseconds since 1970. */
  readonly to?: number
  /** `newest` first, which is the default, or `oldest` first. */
  readonly order?: RefusalOrder
  /** `cursor` of the page before; the first page if left out. */
  readonly cursor?: string
  /** Refusals on a page, 1 to 1000; 100 if left out. */
  readonly limit?: number
}

/** The orders in which refusals are read. */
export type RefusalOrder = 'newest' | 'oldest'

const orders: readonly RefusalOrder[] = ['newest', 'oldest']

/** One page of refusals. */
export interface RefusalPage {
  readonly refusals: readonly RefusalRecord[]
  /** Leads to the next page; `null` on the last. */
  readonly cursor: string | null
}

const refusalsOptions = membersOf<RefusalsOptions>({
  key: true,
  owner: true,
  code: true,
  route: true,
  from: true,
  to: true,
  order: true,
  cursor: true,
  limit: true,
})

const codes = Object.keys(known) as RefusalCode[]

/** The function behind `Keyring.refusals`. */
export async function readRefusals<Scope extends string>(
  parts: KeyringParts<Scope>,
  options: RefusalsOptions,
): Promise<RefusalPage> {
  objectOf('The options of refusals', options, refusalsOptions)
  const { key, owner, code, route, from, to, order = 'newest', cursor, limit = 100 } = options
  integer('limit', limit, { least: 1, most: bounds.page })
  const direction = oneOf('order', order, orders)
  const [at, place] = cursorsOf(parts).positionOf(cursor, `refusals ${direction}`, ['integer', 'integer']) ?? []
  const askedOwner = owner === undefined ? undefined : text('owner', owner, bounds.label)
  const filter = {
    key: key === undefined ? undefined : text('key', key, bounds.label),
    code: code === undefined ? undefined : oneOf('code', code, codes),
    route: route === undefined ? undefined : anyText('route', route, bounds.route),
    from: timestamp('from', from) ?? undefined,
    to: timestamp('to', to) ?? undefined,
    order: direction,
    after: at === undefined ? undefined : { at: Number(at), place: Number(place) },
    // One more than the page shows whether another page follows.
    limit: limit + 1,
  }
  const seen = seenBy(await authorityOf(parts, 'refusals:read'))
  const asked = { ...seen, owner: seen.owner ?? askedOwner }
  if (seen.environments?.length === 0 || (askedOwner ?? asked.owner) !== asked.owner) {
    return { refusals: [], cursor: null }
  }
  const found = await parts.store.refusals({ ...filter, ...asked })
  const shown = found.slice(0, limit)
  const last = shown.at(-1)
  return {
    refusals: shown.map(recordOf),
    cursor:
      found.length > limit && last !== undefined
        ? cursorsOf(parts).cursorOf(`refusals ${direction}`, [last.at, last.place])
        : null,
  }
}

/** The function behind `Keyring.refusal`. */
export async function findRefusal<Scope extends string>(
  parts: KeyringParts<Scope>,
  requestId: string,
): Promise<RefusalRecord | undefined> {
  const id = keptId(anyText('requestId', requestId, bounds.requestId))
  const authority = await authorityOf(parts, 'refusals:read')
  const recent = await parts.refusals.recent(requestId)
  if (recent !== undefined && (seesAll(authority) || (recent.key !== '' && authority.sees(recent)))) {
    return recordOf({ ...recent, requestId: id })
  }
  const seen = seenBy(authority)
  if (seen.environments?.length === 0) return undefined
  const [found] = await parts.store.refusals({ ...seen, requestId: id, order: 'oldest', limit: 1 })
  return found === undefined ? undefined : recordOf({ ...found, requestId: id })
}

/**
 * The refusals that an admin key sees: those of the keys that it sees. Refusals without a known key are for admin keys
 * that see all.
 */
function seenBy(authority: Authority): Pick<Authority, 'owner' | 'environments'> {
  const { owner, environments } = authority
  return { owner, environments: seesAll(authority) ? undefined : environments }
}

function seesAll({ owner, everywhere }: Authority): boolean {
  return owner === undefined && everywhere
}
