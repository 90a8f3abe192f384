import { LatchkeyError } from '../error.ts'
import type { JournalReport } from '../journal/verify-journal.ts'
import type {
  BulkOptions,
  ChangeOptions,
  EraseOptions,
  IdempotencyOptions,
  RotateOptions,
} from '../keyring/call-options.ts'
import {
  bulkOptions,
  changeOptions,
  eraseOptions,
  importOptions,
  revokeOptions,
  rotateOptions,
} from '../keyring/call-options.ts'
import type { Changed } from '../keyring/change-key.ts'
import type { Created } from '../keyring/create.ts'
import type { Erased } from '../keyring/deletion/erasing.ts'
import type { Issued, IssuedOrRepeated, IssueOptions } from '../keyring/issue.ts'
import type { KeyDetails } from '../keyring/key.ts'
import type { Keyring } from '../keyring/keyring.ts'
import type { EntryDetails, JournalPage } from '../keyring/reading/journal.ts'
import type { JournalHeadReport } from '../keyring/reading/journal-head.ts'
import type { Counts } from '../keyring/reading/counts.ts'
import type { KeyPage } from '../keyring/reading/list.ts'
import type { OwnerPage } from '../keyring/reading/owners.ts'
import type { WhoAmI } from '../keyring/reading/whoami.ts'
import type { Why } from '../keyring/reading/why.ts'
import type { RefusalPage } from '../keyring/reading/refusals.ts'
import type { UsageSeries } from '../keyring/reading/usage-series.ts'
import type { UsagePage } from '../keyring/reading/usage.ts'
import type { ChangedOwner, Owner } from '../keyring/owners.ts'
import type { Revoked } from '../keyring/revoke.ts'
import type { Rotated } from '../keyring/rotate.ts'
import { hasMembers, invalid, objectOf } from '../options.ts'
import type { RefusalRecord } from '../verify/refusal-record.ts'
import type { Json } from './body.ts'
import { itemsOf, pageOf } from './page.ts'
import type { Transport } from './transport.ts'
import type { RemoteVerifier } from './verify.ts'

/** The verbs of a keyring. */
type Verbs<Scope extends string> = Omit<Keyring<Scope>, keyof RemoteVerifier<Scope> | 'scopes' | 'environments'>

/** The whole journal is read for it: a million entries are some ten seconds. */
const wholeJournal = 600_000

/** The verbs of a keyring on the other side of the wire, but for those that verify. */
export function verbsOver<Scope extends string>({ send, look, close }: Transport): Verbs<Scope> {
  const found = async (path: string, absent: string): Promise<Json | undefined> =>
    look({ method: 'GET', path, repeatable: true }, absent)

  const get = async (path: string, query: object = {}, takes = 0): Promise<Json> =>
    send({ method: 'GET', path, query, takes, repeatable: true })

  const create = async (path: string, body: object, options: BulkOptions): Promise<Json> => {
    const { idempotencyKey } = options
    return send({
      method: 'POST',
      path,
      body,
      // The client does not invent an idempotency key: the answer to a repetition has no secrets, and the first answer,
      // with the secrets, is lost.
      repeatable: idempotencyKey !== undefined,
      ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': headerText(idempotencyKey) } }),
    })
  }

  /** @param names - the names of the options that the verb takes. */
  const act = async (path: string, options: ChangeOptions, names = changeOptions): Promise<Json> => {
    objectOf('The options of a change', options, names)
    const body = { ...options, actor: undefined, ifRevision: undefined, idempotencyKey: undefined }
    return send({ method: 'POST', path, body, headers: conditions(options), repeatable: true })
  }

  const erase = async (path: string, options: EraseOptions, takes = 0): Promise<Erased> => {
    objectOf('The options of a call that erases', options, eraseOptions)
    const headers = conditions(options)
    return (await send({ method: 'DELETE', path, headers, takes, repeatable: true })) as unknown as Erased
  }

  const patchWith = async (path: string, patch: object, options: ChangeOptions): Promise<Json> => {
    objectOf('The options of a change', options, changeOptions)
    // In the body the two stand side by side, and one of them would be lost.
    if (Object.hasOwn(patch, 'note')) throw invalid('note', 'among the options')
    const { note } = options
    return send({ method: 'PATCH', path, body: { ...patch, note }, headers: conditions(options), repeatable: true })
  }

  return {
    async issue(options: IssueOptions<Scope> & IdempotencyOptions) {
      if (!hasMembers(options)) throw invalid('The options of issue', 'an object')
      const { idempotencyKey, ...newKey } = options
      const body = { ...newKey, actor: undefined }
      return (await create('/v1/keys', body, { idempotencyKey })) as unknown as Issued<Scope> & IssuedOrRepeated<Scope>
    },
    async issueMany(keys, options = {}) {
      objectOf('The options of issueMany', options, bulkOptions)
      return createdOf(await create('/v1/keys/bulk', { keys }, options))
    },
    async importMany(keys, options = {}) {
      objectOf('The options of importMany', options, importOptions)
      const { skipKnown } = options
      const answer = await create('/v1/keys/import', { keys, skipKnown }, options)
      const done = createdOf<KeyDetails<Scope>>(answer)
      return done.repeated ? done : { ...done, skipped: (answer['skipped'] ?? []) as readonly number[] }
    },
    change: async (id, patch, options = {}) => changedOf(await patchWith(keyPath(id), patch, options)),
    async rotate(id: string, options: RotateOptions & IdempotencyOptions = {}) {
      return (await act(`${keyPath(id)}/rotate`, options, rotateOptions)) as unknown as Rotated<Scope>
    },
    retire: async (id, options = {}) => changedOf(await act(`${keyPath(id)}/retire`, options)),
    disable: async (id, options = {}) => changedOf(await act(`${keyPath(id)}/disable`, options)),
    enable: async (id, options = {}) => changedOf(await act(`${keyPath(id)}/enable`, options)),
    async revoke(id, options) {
      return (await act(`${keyPath(id)}/revoke`, options, revokeOptions)) as unknown as Revoked<Scope>
    },
    eraseKey: async (id, options = {}) => erase(keyPath(id), options),
    eraseOwner: async (owner, options = {}) => erase(ownerPath(owner), options, wholeJournal),
    find: async (id) => (await found(keyPath(id), 'unknown_key')) as KeyDetails<Scope> | undefined,
    async list(options = {}) {
      return pageOf(await get('/v1/keys', options), 'keys', options) as unknown as KeyPage<Scope>
    },
    async owners(options = {}) {
      return pageOf(await get('/v1/owners', options), 'owners', options) as unknown as OwnerPage
    },
    counts: async (options = {}) => (await get('/v1/counts', options)) as unknown as Counts,
    owner: async (owner) => (await found(ownerPath(owner), 'unknown_owner')) as Owner | undefined,
    async changeOwner(owner, patch, options = {}) {
      return (await patchWith(ownerPath(owner), patch, options)) as unknown as ChangedOwner
    },
    async journal(options = {}) {
      return pageOf(await get('/v1/journal', options), 'entries', options) as unknown as JournalPage
    },
    async journalEntry(seq) {
      return (await found(`/v1/journal/${part('seq', String(seq))}`, 'unknown_entry')) as EntryDetails | undefined
    },
    journalHead: async () => (await get('/v1/journal/head')) as unknown as JournalHeadReport,
    async verifyJournal(options = {}) {
      objectOf('The options of verifyJournal', options, ['checkpoint', 'rows'])
      const { checkpoint, rows } = options
      const report = await get('/v1/journal/verify', { ...checkpoint, rows }, wholeJournal)
      // Without it, as in the answer of another version, a sound journal would be taken for one that was tampered with.
      if (typeof report['intact'] !== 'boolean') {
        throw new LatchkeyError('unexpected_answer', 'The answer is no report on the journal.')
      }
      return report as unknown as JournalReport
    },
    async usage(options = {}) {
      return pageOf(await get('/v1/usage', options), 'usage', options) as unknown as UsagePage
    },
    usageSeries: async (options = {}) => (await get('/v1/usage/series', options)) as unknown as UsageSeries,
    async refusal(requestId) {
      const record = await found(`/v1/refusals/${part('requestId', requestId)}`, 'unknown_refusal')
      return record === undefined ? undefined : refusalOf(record)
    },
    async refusals(options = {}) {
      const answer = pageOf(await get('/v1/refusals', options), 'refusals', options)
      const cursor = answer['cursor'] as RefusalPage['cursor']
      return { refusals: itemsOf(answer, 'refusals').map(refusalOf), cursor }
    },
    async why(options = {}) {
      const answer = await look({ method: 'GET', path: '/v1/why', query: options, repeatable: true }, 'unknown_refusal')
      if (answer === undefined) return undefined
      const refusal = answer['refusal'] as Json | null
      return {
        ...answer,
        refusal: refusal === null ? null : refusalOf(refusal),
        refusals: itemsOf(answer, 'refusals').map(refusalOf),
      } as unknown as Why
    },
    whoami: async () => (await get('/v1/whoami')) as unknown as WhoAmI,
    async close() {
      close()
    },
  }

  function createdOf<Item>(answer: Json): Created<Scope, Item> {
    if (answer['repeated'] !== true) return { repeated: false, created: answer['created'] as readonly Item[] }
    return { repeated: true, keys: answer['keys'] as readonly KeyDetails<Scope>[] }
  }

  function changedOf(answer: Json): Changed<Scope> {
    return answer as unknown as Changed<Scope>
  }
}

/** A refusal with all its members, of which JSON leaves out those that are not known. */
function refusalOf(record: Json): RefusalRecord {
  const { address, route, requirement, keyId, owner, environment, ...rest } = record
  return { ...rest, address, route, requirement, keyId, owner, environment } as unknown as RefusalRecord
}

/** A call that is lost is sent again: its idempotency key makes it happen once. */
function conditions({
  ifRevision,
  idempotencyKey = crypto.randomUUID(),
}: ChangeOptions): Readonly<Record<string, string>> {
  return {
    'idempotency-key': headerText(idempotencyKey),
    ...(ifRevision === undefined ? {} : { 'if-match': `"${ifRevision}"` }),
  }
}

const keyPath = (id: string): string => `/v1/keys/${part('id', id)}`

const ownerPath = (owner: string): string => `/v1/owners/${part('owner', owner)}`

/** One part of a path. `.` and `..` would go elsewhere, however they are encoded (WHATWG URL, "double-dot path segment"). */
function part(name: string, value: string): string {
  if (typeof value !== 'string' || value === '' || value === '.' || value === '..' || !value.isWellFormed()) {
    throw invalid(name, 'a text that can stand in an address')
  }
  return encodeURIComponent(value)
}

/** Checks that a header can carry the text unchanged. */
function headerText(token: string): string {
  if (typeof token === 'string' && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(token)) return token
  throw invalid('idempotencyKey', 'visible ASCII characters to be sent to a server')
}
