import type {
  Entry,
  EntryDetails,
  JournalHead,
  JournalHeadReport,
  JournalOptions,
  JournalPage,
  RowFault,
} from 'latchkey'
import { actions, journalFaults, rowFaults } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'
import { Type } from './type.ts'
import { failures, json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'
import type { SchemasOf } from './wire.ts'
import { cursor, described, label, nullable, pageSize, strict, timestamp } from './wire.ts'

const seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const hash = Type.String({ pattern: '^[0-9a-f]{64}$' })
const subject = Type.String({ description: 'The id of a key, or `owner:` and the name of an owner' })

const action = Type.Enum([...actions], { description: 'What was done', examples: ['rotate'] })

const entry = {
  seq: Type.Integer({ description: 'The number of the entry; they begin with 1 and have no gaps' }),
  at: described(timestamp, 'When the change was made, in milliseconds since 1970 (UTC)'),
  actor: Type.String({
    description: 'Who made the change: the id of an admin key, or a name that the application gave',
  }),
  actorName: nullable(
    Type.String({ description: 'The name of this admin key; null if it is no key, or not one that you see' }),
  ),
  action,
  subject,
  subjectName: nullable(
    Type.String({ description: 'The name that the key has now; null for an owner, and for a key that you do not see' }),
  ),
  change: Type.Record(Type.String(), Type.Unsafe<unknown>({}), {
    description: 'What changed, and the `note`. The hash is over this object as JSON without spaces',
  }),
  previous: described(hash, 'The hash of the entry before; 64 zeros for the first'),
  hash: described(
    hash,
    'The SHA-256 hash of this entry, `previous` included; of an emptied entry, that of what was in it',
  ),
  emptiedBy: Type.Optional(
    Type.Integer({
      description: 'The number of the later entry that has emptied this one, because what it was about was erased',
    }),
  ),
} satisfies SchemasOf<Entry>

export const journalEntry = Type.Object(entry, { title: 'JournalEntry' })

const members = {
  entries: Type.Array(journalEntry),
  cursor: nullable(Type.String({ description: '`cursor` of the next page; null on the last page' })),
} satisfies SchemasOf<JournalPage>
const journalPage = Type.Object(members)

const filters = {
  key: Type.Optional(described(label, 'Only changes of this key, by its id')),
  owner: Type.Optional(described(label, 'Only changes of this owner, and of the keys that it had when they were made')),
  actor: Type.Optional(described(label, 'Only changes that this actor made')),
  action: Type.Optional(described(action, 'Only changes of this kind')),
  from: Type.Optional(described(timestamp, 'The first time that counts, in milliseconds since 1970 (UTC)')),
  to: Type.Optional(described(timestamp, 'The first time that no longer counts, in milliseconds since 1970 (UTC)')),
  after: Type.Optional(described(seq, 'Only entries after the one with this number')),
  order: Type.Optional(
    Type.Enum(['newest', 'oldest'], {
      default: 'newest',
      description: 'What comes first, by number; by time with `from` or `to`',
    }),
  ),
  cursor: Type.Optional(cursor),
  limit: Type.Optional(pageSize),
} satisfies SchemasOf<JournalOptions>

const head = { seq: entry.seq, hash: entry.hash } satisfies SchemasOf<JournalHead>

const details = {
  entry: journalEntry,
  before: nullable(
    Type.Record(Type.String(), Type.Unsafe<unknown>({}), {
      description:
        'The members that the entry changed, with their values before; null if it changed none, or was emptied. Those after it are `entry.change.after`',
      examples: [{ name: 'Shop', scopes: ['orders:read'] }],
    }),
  ),
} satisfies SchemasOf<EntryDetails>

const headReport = {
  head: nullable(
    Type.Object(head, {
      description: 'The last entry: keep it elsewhere, and check against it later; null without any',
    }),
  ),
  checkedTo: Type.Integer({
    description: 'The number of the last entry that this process has checked; 0 before the first',
    examples: [4711],
  }),
  checkedAt: nullable(
    described(timestamp, 'When it was checked, in milliseconds since 1970 (UTC); null before the first check'),
  ),
  intact: Type.Boolean({
    description:
      'Whether all that was checked is as it was written. Emptied entries and rows are checked by `/v1/journal/verify` only',
  }),
  faulty: Type.Optional(Type.Integer({ description: 'If not: the number of the first entry that is wrong' })),
  fault: Type.Optional(
    Type.Enum(['missing', 'altered', 'unchained', 'rewritten'], {
      description: 'If not: what is wrong. `rewritten`: the entry was another one when this process checked it',
    }),
  ),
} satisfies SchemasOf<JournalHeadReport>

const rowFault = {
  subject,
  fault: Type.Enum([...rowFaults], { description: 'What is wrong with its rows' }),
} satisfies SchemasOf<RowFault>

const sound = Type.Integer({ description: 'How many entries are sound' })
const reportedHead = Type.Optional(
  Type.Object(head, { description: 'The last entry: keep it elsewhere, and check against it later' }),
)
const differing = Type.Array(Type.Object(rowFault), { description: 'The keys and owners that differ from the journal' })
const more = Type.Boolean({ description: 'Whether more keys or owners differ than are listed' })

const report = Type.Union(
  [
    Type.Object({
      intact: Type.Literal(true, { description: 'Nothing is wrong' }),
      entries: sound,
      head: reportedHead,
      compared: Type.Optional(
        Type.Integer({ description: 'With `rows`: how many keys and owners agree with the journal' }),
      ),
    }),
    Type.Object({
      intact: Type.Literal(false, { description: 'The journal is not as it was written' }),
      entries: sound,
      at: Type.Integer({ description: 'The number of the first entry that is wrong' }),
      fault: Type.Enum([...journalFaults], { description: 'What is wrong' }),
      rows: Type.Optional(differing),
      more: Type.Optional(more),
    }),
    Type.Object({
      intact: Type.Literal(false, {
        description: 'The journal is as it was written, but keys or owners differ from it',
      }),
      entries: sound,
      head: reportedHead,
      fault: Type.Literal('rows', { description: 'Keys or owners differ from the journal' }),
      rows: differing,
      more,
    }),
  ],
  { title: 'JournalReport' },
)

const verifyQuery = Type.Object(
  {
    seq: Type.Optional(described(seq, 'The number of a head that you kept; the journal must still contain it')),
    hash: Type.Optional(described(hash, 'The hash of that head')),
    rows: Type.Optional(Type.Boolean({ description: 'Also compare keys, secrets and owners with the journal' })),
  },
  strict,
)

/** The journal, the audit log of all changes. */
export function journalRoutes(app: App, { guard, acting }: RouteParts): void {
  const onRequest = guard.requires('journal:read')

  app.get(
    '/v1/journal',
    {
      onRequest,
      schema: {
        operationId: 'listJournal',
        summary: 'Read the journal, the audit log of all changes, the newest first',
        description: 'Answers a page of the entries that the admin key sees and that meet every filter.',
        tags: ['Journal'],
        querystring: Type.Object(filters, strict),
        response: { 200: json('A page of entries', journalPage), ...failures(404, 422) },
      },
    },
    async (request) => acting(request).journal(request.query as JournalOptions),
  )

  app.get(
    '/v1/journal/head',
    {
      onRequest,
      schema: {
        operationId: 'getJournalHead',
        summary: 'Read the end of the journal, and how far it was checked',
        description:
          'Each call has up to 20,000 more entries checked in the background and does not wait for it, so ask from time to time. For admin keys that see all keys.',
        tags: ['Journal'],
        response: {
          200: json('The end of the journal', Type.Object(headReport, { title: 'JournalHeadReport' })),
          ...failures(),
        },
      },
    },
    async (request) => acting(request).journalHead(),
  )

  app.get(
    '/v1/journal/:seq',
    {
      onRequest,
      schema: {
        operationId: 'getJournalEntry',
        summary: 'Read one entry of the journal, with the values before the change',
        description: 'Answers the entry with this number, if the admin key may read it.',
        tags: ['Journal'],
        params: Type.Object({
          seq: Type.Integer({
            minimum: 1,
            maximum: Number.MAX_SAFE_INTEGER - 1,
            description: 'The number of the entry',
            examples: [1],
          }),
        }),
        response: { 200: json('The entry', Type.Object(details)), ...failures(404, 422) },
      },
    },
    async (request) => {
      const found = await acting(request).journalEntry(request.params.seq)
      if (found !== undefined) return found
      throw problem({ status: 404, code: 'unknown_entry', detail: 'The journal has no entry with this number.' })
    },
  )

  app.get(
    '/v1/journal/verify',
    {
      onRequest,
      schema: {
        operationId: 'verifyJournal',
        summary: 'Check that the journal is intact, and that it still contains a head that you kept',
        description:
          'Reads the whole journal and checks its hashes. `seq` and `hash` are the head of an earlier report; send both or neither.',
        tags: ['Journal'],
        querystring: verifyQuery,
        response: { 200: json('The result', report), ...failures(422) },
      },
    },
    async (request) => {
      const { seq: at, hash: of, rows } = request.query
      if ((at === undefined) !== (of === undefined)) {
        throw problem({
          status: 422,
          code: 'invalid_input',
          detail: 'seq and hash must be sent together.',
        })
      }
      const checkpoint = at === undefined || of === undefined ? undefined : { seq: at, hash: of }
      return acting(request).verifyJournal({
        ...(checkpoint === undefined ? {} : { checkpoint }),
        ...(rows === undefined ? {} : { rows }),
      })
    },
  )
}
