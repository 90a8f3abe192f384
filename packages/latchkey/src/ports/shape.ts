import { invalid } from '../options.ts'
import type { Clock, KeySource, Limiter, Store } from '../ports.ts'

/** The kind of each member of a port. The compiler reports a member that is missing here or no longer exists. */
type Shape<Port> = Readonly<Record<keyof Port, 'a function' | 'a function, if given' | 'a number from 0' | 'a list'>>

const storeShape: Shape<Store> = {
  lease: 'a number from 0',
  bySecret: 'a function',
  byId: 'a function',
  owner: 'a function',
  list: 'a function',
  owners: 'a function',
  counts: 'a function',
  commit: 'a function',
  idempotentResult: 'a function',
  follow: 'a function',
  settled: 'a function',
  journal: 'a function',
  entries: 'a function',
  auditFiling: 'a function',
  auditKeys: 'a function',
  auditOwners: 'a function',
  auditMissing: 'a function',
  withoutSnapshot: 'a function',
  newestRevision: 'a function',
  spend: 'a function',
  noteFirstUse: 'a function',
  recordUsage: 'a function',
  forgetUse: 'a function',
  entriesNaming: 'a function',
  purgeable: 'a function',
  countPurgeable: 'a function',
  purgeRows: 'a function',
  claimPurge: 'a function',
  isErased: 'a function',
  isErasedUse: 'a function',
  scrub: 'a function',
  usage: 'a function',
  usageSums: 'a function',
  recordRefusals: 'a function',
  refusals: 'a function',
  declared: 'a function',
  cursorKey: 'a function',
  declare: 'a function',
  grants: 'a function',
  ready: 'a function',
  close: 'a function',
}

const limiterShape: Shape<Limiter> = {
  take: 'a function',
  peek: 'a function',
  giveBack: 'a function',
  state: 'a function, if given',
  close: 'a function',
}

const sourceShape: Shape<KeySource> = { keys: 'a list', bySecret: 'a function' }

const clockShape: Shape<Clock> = { now: 'a function', monotonic: 'a function', after: 'a function, if given' }

/** What is plugged into a keyring. */
export interface Ports {
  readonly store: Store
  readonly limiter: Limiter
  readonly sources: readonly KeySource[]
  readonly clock: Clock
}

/**
 * Refuses a port that lacks a member, when the keyring is opened: found at the call, it would stop a verification or a
 * change halfway.
 *
 * @throws LatchkeyError `invalid_input` that names the port and the member.
 */
export function checkPorts({ store, limiter, sources, clock }: Ports): void {
  check('clock', clock, clockShape)
  check('store', store, storeShape)
  check('limiter', limiter, limiterShape)
  if (!Array.isArray(sources)) throw invalid('sources', 'a list')
  for (const [index, source] of sources.entries()) check(`sources[${index}]`, source, sourceShape)
}

function check<Port extends object>(name: string, port: Port, shape: Shape<Port>): void {
  if (typeof port !== 'object' || port === null) throw invalid(name, 'an object')
  for (const [member, must] of Object.entries<string>(shape)) {
    const value = (port as Readonly<Record<string, unknown>>)[member]
    if (!is(value, must)) throw invalid(`${name}.${member}`, must)
  }
}

function is(value: unknown, must: string): boolean {
  if (must === 'a function, if given' && value === undefined) return true
  if (must.startsWith('a function')) return typeof value === 'function'
  if (must === 'a list') return Array.isArray(value)
  return typeof value === 'number' && value >= 0
}
