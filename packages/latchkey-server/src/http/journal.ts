import { bounds, journalFaults, rowFaults } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'
import { Type } from 'typebox'
import { failures, json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'
import { label, moment } from './wire.ts'

const seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const hash = Type.String({ pattern: '^[0-9a-f]{64}$' })

const entry = Type.Object(
  {
    seq: Type.Integer(),
    at: moment,
    actor: Type.String(),
    action: Type.String(),
    subject: Type.String({ description: 'The id of a key, or `owner:` and the name of an owner' }),
    change: Type.String({ description: 'JSON, as text: the hash is over exactly these characters' }),
    previous: hash,
    hash,
  },
  { title: 'JournalEntry' },
)

const journalPage = Type.Object({
  entries: Type.Array(entry),
  next: Type.Unsafe<number | null>({ type: ['integer', 'null'], description: '`after` of the next page' }),
})

const journalQuery = Type.Object(
  {
    after: Type.Optional(seq),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: bounds.page, description: '100 if left out' })),
    key: Type.Optional(label),
    owner: Type.Optional(label),
    actor: Type.Optional(label),
    from: Type.Optional(moment),
    to: Type.Optional(moment),
  },
  { additionalProperties: false },
)

const report = Type.Object(
  {
    whole: Type.Boolean(),
    entries: Type.Integer({ description: 'How many are sound' }),
    head: Type.Optional(Type.Object({ seq: Type.Integer(), hash })),
    at: Type.Optional(Type.Integer({ description: 'The entry from which it is not what was written' })),
    fault: Type.Optional(
      Type.Enum([...journalFaults, 'rows'], {
        description: '`rows`: the journal is what was written, and the rows are not what it says',
      }),
    ),
    compared: Type.Optional(
      Type.Integer({ description: 'With `rows`: how many keys and owners are what the journal says' }),
    ),
    rows: Type.Optional(
      Type.Array(
        Type.Object({
          subject: Type.String({ description: 'The id of a key, or `owner:` and the name of an owner' }),
          fault: Type.Enum([...rowFaults]),
        }),
        { description: 'Those that are not' },
      ),
    ),
    more: Type.Optional(Type.Boolean({ description: 'Whether there are more rows than are named' })),
  },
  { title: 'JournalReport' },
)

/** The audit log. */
export function journalRoutes(app: App, { guard, acting }: RouteParts): void {
  const onRequest = guard.requires('journal:read')

  app.get(
    '/v1/journal',
    {
      onRequest,
      schema: {
        summary: 'Read the journal in order',
        tags: ['Journal'],
        querystring: journalQuery,
        response: { 200: json('A page of entries', journalPage), ...failures(404, 422) },
      },
    },
    async (request) => {
      const entries = await acting(request).journal(request.query)
      const full = entries.length === (request.query.limit ?? 100)
      return { entries, next: full ? (entries.at(-1)?.seq ?? null) : null }
    },
  )

  app.get(
    '/v1/journal/verify',
    {
      onRequest,
      schema: {
        summary:
          'Check the whole journal, that it still contains a head noted earlier, and that the rows are what it says',
        tags: ['Journal'],
        querystring: Type.Object(
          {
            seq: Type.Optional(seq),
            hash: Type.Optional(hash),
            rows: Type.Optional(
              Type.Boolean({
                description: 'Compares keys, their secrets and owners with what the journal says of them',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: json('What was found', report), ...failures(422) },
      },
    },
    async (request) => {
      const { seq: at, hash: of, rows } = request.query
      if ((at === undefined) !== (of === undefined)) {
        throw problem({
          status: 422,
          code: 'invalid_input',
          detail: 'seq and hash must be given together, or neither.',
        })
      }
      const anchor = at === undefined || of === undefined ? undefined : { seq: at, hash: of }
      return acting(request).verifyJournal({
        ...(anchor === undefined ? {} : { anchor }),
        ...(rows === undefined ? {} : { rows }),
      })
    },
  )
}
