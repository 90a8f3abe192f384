import type { KeyCount, KeyListPage, ListFilter, ListPosition } from '../ports.ts'
import type { Engine } from './engine.ts'
import type { KeyRow } from './key-columns.ts'
import { keyOfRow } from './key-columns.ts'
import type { AskedFilter } from './list-conditions.ts'
import type { OrderedRow, Walk } from './list-order.ts'
import { endQuery, environmentsOfKeys, positionIn } from './list-order.ts'
import type { Places } from './list-query.ts'
import {
  allPlacesQuery,
  asksForMore,
  countQuery,
  mostCounted,
  mostLookedAt,
  mostOfAll,
  pageQuery,
  placesOf,
  placesQuery,
} from './list-query.ts'
import type { OwnerRow } from './rows.ts'
import type { Query } from './sql.ts'
import type { Work } from './work.ts'
import { rows } from './work.ts'

type ListedRow = KeyRow &
  OwnerRow &
  OrderedRow & {
    readonly last_used_at: number | null
    readonly old_ends_at: number | null
    readonly old_last_used_at: number | null
  }

/** A page of keys, read at one point in time. */
export function* listOf(listed: ListFilter, engine: Engine): Work<KeyListPage> {
  const filter: AskedFilter = { ...listed, engine }
  const { limit } = filter
  const all =
    filter.environments ?? (yield* rows<{ environment: string }>(environmentsOfKeys)).map((row) => row.environment)
  const keys: Walk = { ...filter, environments: [...new Set(all)] }
  const none = { count: 0, more: false }
  if (keys.environments.length === 0)
    return { items: [], next: undefined, total: filter.count === true ? none : undefined }

  const few = asksForMore(filter) ? yield* fewPlaces(filter, keys) : undefined
  const found = yield* answer<ListedRow>(pageQuery(filter, keys, few))
  const shown = found.slice(0, limit)
  const last = shown.at(-1)
  const isFull = found.length > limit && last !== undefined
  const isAll = few !== undefined || !asksForMore(filter)
  return {
    items: shown.map((row) => ({
      place: row.place,
      key: keyOfRow(row),
      ownerDisabled: row.owner_disabled_at !== null,
      lastUsedAt: row.last_used_at,
      rotation: row.old_ends_at === null ? null : { oldEndsAt: row.old_ends_at, oldLastUsedAt: row.old_last_used_at },
    })),
    next: isFull ? positionIn(last) : isAll ? undefined : yield* endOf(filter, keys),
    total: filter.count === true ? yield* totalOf(filter, keys, few) : undefined,
  }
}

function* answer<Row>({ text, values }: Query): Work<readonly Row[]> {
  return yield* rows<Row>(text, values)
}

function* countOf(query: Query): Work<number> {
  return (yield* answer<{ readonly count: number }>(query))[0]?.count ?? 0
}

/** The first places that are few enough to be looked at. */
function* fewPlaces(filter: AskedFilter, keys: Walk): Work<Places | undefined> {
  const most = mostLookedAt(filter)
  for (const places of placesOf(filter, keys)) {
    if (!places.seen && filter.bound === true) continue
    if (!places.seen && (yield* countOf(allPlacesQuery(places))) > mostOfAll) continue
    if ((yield* countOf(placesQuery(places, keys, most))) <= most) return places
  }
  return undefined
}

/** How many keys there are, as far as they are counted and looked at. */
function* totalOf(filter: AskedFilter, keys: Walk, few: Places | undefined): Work<KeyCount> {
  const count = yield* countOf(countQuery(filter, keys, few))
  if (count > mostCounted) return { count: mostCounted, more: true }
  const isAll = few !== undefined || !asksForMore(filter)
  return { count, more: !isAll && (yield* endOf(filter, { ...keys, after: undefined })) !== undefined }
}

/** Where the keys end that were looked at, if others follow. */
function* endOf(filter: AskedFilter, keys: Walk): Work<ListPosition | undefined> {
  const [last, following] = yield* answer<OrderedRow>(endQuery(keys, mostLookedAt(filter)))
  return last === undefined || following === undefined ? undefined : positionIn(last)
}
