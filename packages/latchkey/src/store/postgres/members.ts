import { LatchkeyError } from '../../error.ts'
import type { JournalHead } from '../../ports.ts'
import type { MembersTable, MemberView, Progress } from '../../propagation/members.ts'
import type { SqlValue } from '../sql.ts'
import { imported } from '../sql.ts'
import type { Work } from '../work.ts'
import { row, run } from '../work.ts'
import { incarnation, mustBeCurrent } from './schema.ts'
import type { Sessions } from './sessions.ts'
import { durably } from './sessions.ts'

/** Milliseconds for which a look is waited for; longer ones would keep callers waiting that another instance can answer. */
const longestLook = 250

/** The same for what a change waits for. */
const longestWait = 2000

/** How many changes a look names before it says `everything`. */
const namedChanges = 1000

/**
 * The end of the journal and the member's own row, at one point in time. The members of a list are read as JSON: one
 * statement is one moment, and one round trip.
 */
const look = `SELECT pg_is_in_recovery() AS replica,
    (SELECT MAX(version) FROM latchkey_migrations) AS version,
    (SELECT doomed FROM latchkey_members WHERE id = $1) AS doomed,
    (SELECT hash FROM latchkey_journal WHERE seq = $2) AS seen,
    (SELECT CAST(json_build_array(seq, hash) AS TEXT) FROM latchkey_journal ORDER BY seq DESC LIMIT 1) AS head,
    (SELECT CAST(json_agg(json_build_array(seq, action, subject, previous, hash) ORDER BY seq) AS TEXT)
      FROM (SELECT seq, action, subject, previous, hash FROM latchkey_journal WHERE seq > $3
        ORDER BY seq LIMIT ${namedChanges + 1}) later) AS changed,
    CASE WHEN EXISTS (SELECT 1 FROM latchkey_secrets WHERE kind <> 'minted')
      THEN (SELECT CAST(json_agg(kind) AS TEXT) FROM (${imported}) kinds) END AS imported`

interface LookRow {
  readonly replica: boolean
  readonly version: number
  readonly doomed: boolean | null
  readonly seen: string | null
  readonly head: string | null
  readonly changed: string | null
  readonly imported: string | null
}

const register = `WITH before AS (DELETE FROM latchkey_members WHERE id = $3)
    INSERT INTO latchkey_members (id, instance, seen, doomed) SELECT $1, $2, -1, FALSE WHERE ${durably} <> ''`

/** Another history may have another entry under this number. A confirmation may get lost, and does not wait for the disk. */
const confirm = `UPDATE latchkey_members SET seen = $2 WHERE id = $1 AND seen < $2
    AND EXISTS (SELECT 1 FROM latchkey_journal WHERE seq = $2 AND hash = $3)
    AND set_config('synchronous_commit', 'off', true) = 'off'`

const progress = `SELECT pg_is_in_recovery() AS replica, ${incarnation} AS incarnation, h.trusted <> ${incarnation} AS fenced,
    (SELECT COUNT(*) FROM latchkey_members) AS members,
    (SELECT CAST(json_agg(json_build_array(id, instance, seen)) AS TEXT) FROM latchkey_members WHERE seen < $1) AS behind,
    (SELECT CAST(json_agg(c.value -> 0) AS TEXT) FROM json_array_elements(CAST($2 AS json)) c WHERE CAST(c.value ->> 0 AS BIGINT) > 0 AND NOT EXISTS (
      SELECT 1 FROM latchkey_journal j WHERE j.seq = CAST(c.value ->> 0 AS BIGINT)
      AND j.hash = COALESCE(c.value ->> 1, j.hash))) AS lost
    FROM latchkey_head h WHERE h.place = 1`

interface ProgressRow {
  readonly replica: boolean
  readonly incarnation: string
  readonly fenced: boolean
  readonly members: number
  readonly behind: string | null
  readonly lost: string | null
}

const among = `id IN (SELECT json_array_elements_text(CAST($1 AS json)))`

const doom = `UPDATE latchkey_members SET doomed = TRUE WHERE ${among} AND seen < $2`

const removeDoomed = `DELETE FROM latchkey_members WHERE ${among} AND doomed`

const leave = `DELETE FROM latchkey_members WHERE id = $1`

const trust = `UPDATE latchkey_head SET trusted = $1 WHERE place = 1 AND trusted <> $1 AND ${incarnation} = $1`

function list<Item>(json: string | null): readonly Item[] {
  return json === null ? [] : (JSON.parse(json) as readonly Item[])
}

function headOf(json: string | null): JournalHead | undefined {
  if (json === null) return undefined
  const [seq, hash] = JSON.parse(json) as [number, string]
  return { seq, hash }
}

/** The table of members, one statement for each method. */
export function membersTable(sessions: Pick<Sessions, 'perform'>): MembersTable {
  const once = async (text: string, values: readonly SqlValue[]): Promise<void> => {
    await sessions.perform(longestWait, () => run(text, values))
  }

  function* looking(id: string, seen: JournalHead | undefined): Work<MemberView> {
    const found = yield* row<LookRow>(look, [id, seen?.seq ?? null, seen?.seq ?? 0])
    if (found === undefined) throw new Error('A look has found nothing.')
    mustBeCurrent(found.version)
    const changed = list<[number, string, string, string, string]>(found.changed)
    return {
      row: found.doomed === null ? 'absent' : found.doomed ? 'doomed' : 'present',
      isReplica: found.replica,
      hashAtSeen: found.seen ?? undefined,
      head: headOf(found.head),
      changed:
        changed.length > namedChanges
          ? 'everything'
          : changed.map(([seq, action, subject, previous, hash]) => ({
              seq,
              action: action as never,
              subject,
              previous,
              hash,
            })),
      imported: list(found.imported),
    }
  }

  return {
    register: async ({ id, instance, former }) => once(register, [id, instance, former ?? null]),
    look: async (id, seen) => sessions.perform(longestLook, () => looking(id, seen)),
    confirm: async (id, { seq, hash }) => once(confirm, [id, seq, hash]),
    async progress(changes) {
      const newest = Math.max(...changes.map(({ seq }) => seq))
      const asked = JSON.stringify(changes.map(({ seq, hash }) => [seq, hash ?? null]))
      const found = await sessions.perform(longestWait, () => row<ProgressRow>(progress, [newest, asked]))
      // A server that repeats another may not know all members.
      if (found === undefined || found.replica)
        throw new LatchkeyError('unavailable', 'The database only repeats another one.')
      const behind = list<[string, string, number]>(found.behind)
      return {
        members: found.members,
        behind: behind.map(([id, instance, seen]) => ({ id, instance, seen })),
        lost: list<number>(found.lost),
        incarnation: found.incarnation,
        isFenced: found.fenced,
      } satisfies Progress
    },
    doom: async (ids, seq) => once(doom, [JSON.stringify(ids), seq]),
    removeDoomed: async (ids) => once(removeDoomed, [JSON.stringify(ids)]),
    leave: async (id) => once(leave, [id]),
    trust: async (name) => once(trust, [name]),
  }
}
