import { createHash } from 'node:crypto'
import type { Random } from './random.ts'
import type { Rows, TableRow, TableValue } from './row-tables.ts'

/** Rows as they are, and some that they were before. */
export interface Known {
  readonly now: Rows
  readonly past: readonly Rows[]
}

/** Tampered rows. By chance they may equal the original; if you need a difference, check. */
export type RowTampering = (random: Random, known: Known) => Rows

/** Columns that the journal does not speak of: when a secret was used last, and where a row lies. */
const unrecorded: ReadonlySet<string> = new Set(['last_used_at', 'place'])

/** Columns that hold JSON, and values that an attacker might want there. */
const json: Readonly<Record<string, readonly string[]>> = {
  scopes: ['["orders:*"]', '["orders:read","orders:write"]', '[]'],
  metadata: '{"plan":"enterprise"}|{}|{"":""}'.split('|'),
  addresses: ['["0.0.0.0/0"]', '[]'],
  limits: ['[{"name":"all","limit":1000000,"window":1}]', '[]'],
  quota: ['{"amount":1000000,"refill":null}', '{"amount":1,"refill":"day"}'],
  delegation: ['{"owner":null,"environments":["live","test","admin"],"scopes":["*"]}'],
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_é'

/** Ways to change rows by SQL, by what they are: each must be found, and what was changed be named. */
export const rowTamperings: Readonly<Record<string, Readonly<Record<string, RowTampering>>>> = {
  edit: {
    'any column of a key': (random, { now }) => editAny(random, now, 'keys'),
    'any column of a secret': (random, { now }) => editAny(random, now, 'secrets'),
    'any column of an owner': (random, { now }) => editAny(random, now, 'owners'),
    'the id of a key': (random, { now }) =>
      edit(random, now, 'keys', (row) => ({ ...row, id: `key_${random.text(20, 'abc')}` })),
    'the owner of a key': (random, { now }) =>
      edit(random, now, 'keys', (row) => ({ ...row, owner: random.pick(now.keys)['owner'] ?? null })),
    'a value of another row': (random, { now }) => {
      const table = random.pick(['keys', 'secrets', 'owners'] as const)
      return edit(random, now, table, (row) => {
        const column = random.pick(columnsOf(row))
        return { ...row, [column]: random.pick(now[table])[column] ?? null }
      })
    },
    'what is not JSON': (random, { now }) =>
      edit(random, now, 'keys', (row) => ({
        ...row,
        [random.pick(Object.keys(json))]: random.pick(['', '[', 'null', '7', '"a"']),
      })),
  },
  widen: {
    'more scopes': (random, { now }) =>
      edit(random, now, 'keys', (row) => ({ ...row, scopes: '["orders:*","admin:*"]' })),
    'a later end': (random, { now }) =>
      edit(random, now, 'keys', (row) => ({ ...row, expires_at: 4e12 + random.below(1000) })),
    'from anywhere': (random, { now }) =>
      edit(random, now, 'keys', (row) => ({ ...row, addresses: '["0.0.0.0/0","::/0"]' })),
    'another environment': (random, { now }) =>
      edit(random, now, 'keys', (row) => ({ ...row, environment: row['environment'] === 'admin' ? 'live' : 'admin' })),
    'made an admin key': (random, { now }) =>
      edit(random, now, 'keys', (row) => ({
        ...row,
        environment: 'admin',
        scopes: '["keys:*"]',
        delegation: random.pick(json['delegation'] ?? []),
      })),
  },
  revive: {
    'a revoked key': (random, { now }) =>
      edit(
        random,
        now,
        'keys',
        (row) => ({ ...row, revoked_at: null, revoked_reason: null, revoked_note: null }),
        'revoked_at',
      ),
    'a disabled key': (random, { now }) =>
      edit(random, now, 'keys', (row) => ({ ...row, disabled_at: null, disabled_by: null }), 'disabled_at'),
    'a disabled owner': (random, { now }) =>
      edit(random, now, 'owners', (row) => ({ ...row, disabled_at: null }), 'disabled_at'),
    'an ended secret': (random, { now }) =>
      edit(random, now, 'secrets', (row) => ({ ...row, retired_at: null, ends_at: null, ended: 0 }), 'ends_at'),
    'an end that comes later': (random, { now }) =>
      edit(random, now, 'secrets', (row) => ({ ...row, ends_at: 4e12, ended: 0 }), 'ends_at'),
    'a row as it once was': (random, { now, past }) => {
      const table = random.pick(['keys', 'secrets', 'owners'] as const)
      return edit(random, now, table, (row) => former(random, past, table, row) ?? row)
    },
    'a key and its secrets as they once were': (random, { now, past }) => {
      if (past.length === 0) return now
      const then = random.pick(past)
      const key = random.pick(then.keys)
      const isOf = (row: TableRow): boolean => row['place'] === key['place']
      return {
        ...now,
        keys: now.keys.map((row) => (isOf(row) ? key : row)),
        secrets: [...now.secrets.filter((row) => !isOf(row)), ...then.secrets.filter(isOf)],
      }
    },
    'a row as it once was, with the revision of now': (random, { now, past }) => {
      const table = random.pick(['keys', 'owners'] as const)
      return edit(random, now, table, (row) => ({
        ...(former(random, past, table, row) ?? row),
        revision: row['revision'] ?? null,
      }))
    },
  },
  addition: {
    'a key': (random, { now }) => {
      const place = placeOf(random, now)
      const [key, secret] = [random.pick(now.keys), random.pick(now.secrets)]
      const id = `key_${random.text(20, 'abc')}`
      return {
        ...now,
        keys: [...now.keys, { ...key, id, place, revision: random.pick([Number(key['revision']), place, 0]) }],
        secrets: [...now.secrets, { ...secret, hash: hashOf(random), place, ends_at: null, ended: 0 }],
      }
    },
    'a key without a secret': (random, { now }) => ({
      ...now,
      keys: [
        ...now.keys,
        { ...random.pick(now.keys), id: `key_${random.text(20, 'abc')}`, place: placeOf(random, now) },
      ],
    }),
    'a secret': (random, { now }) => {
      const [secret, key] = [random.pick(now.secrets), random.pick(now.keys)]
      const added = { ...secret, hash: hashOf(random), place: key['place'] ?? null, ends_at: null, ended: 0 }
      return { ...now, secrets: [...now.secrets, added] }
    },
    'an owner': (random, { now }) => {
      const owner = random.pick([`owner ${random.text(6, 'abc')}`, random.text(1, letters), ''])
      const row = { owner, disabled_at: null, limits: '[]', revision: random.below(1000) }
      return { ...now, owners: [...now.owners, row] }
    },
  },
  deletion: {
    'a key and its secrets': (random, { now }) => {
      const key = random.pick(now.keys)
      return {
        ...now,
        keys: now.keys.filter((row) => row !== key),
        secrets: now.secrets.filter(({ place }) => place !== key['place']),
      }
    },
    'a secret': (random, { now }) => ({ ...now, secrets: now.secrets.toSpliced(random.below(now.secrets.length), 1) }),
    'an owner': (random, { now }) => ({ ...now, owners: now.owners.toSpliced(random.below(now.owners.length), 1) }),
    'every key': (_, { now }) => ({ ...now, keys: [], secrets: [] }),
  },
  swap: {
    'the secrets of two keys': (random, { now }) => {
      const [one, other] = [random.pick(now.secrets), random.pick(now.secrets)]
      return {
        ...now,
        secrets: now.secrets.map((row) => {
          if (row === one) return { ...row, place: other['place'] ?? null }
          return row === other ? { ...row, place: one['place'] ?? null } : row
        }),
      }
    },
    'the ids of two keys': (random, { now }) => exchange(random, now, 'id'),
    'a value of two keys': (random, { now }) => exchange(random, now, random.pick(columnsOf(now.keys[0] ?? {}))),
    'the hashes of two secrets': (random, { now }) => {
      const [one, other] = [random.pick(now.secrets), random.pick(now.secrets)]
      return {
        ...now,
        secrets: now.secrets.map((row) => {
          if (row === one) return { ...row, hash: other['hash'] ?? null }
          return row === other ? { ...row, hash: one['hash'] ?? null } : row
        }),
      }
    },
  },
}

/** Columns that the journal speaks of. */
function columnsOf(row: TableRow): readonly string[] {
  return Object.keys(row).filter((column) => !unrecorded.has(column))
}

function editAny(random: Random, now: Rows, table: keyof Rows): Rows {
  return edit(random, now, table, (row) => {
    const column = random.pick(columnsOf(row))
    return { ...row, [column]: another(random, column, row[column] ?? null) }
  })
}

/** Another value for a column, of its own kind or of none. */
function another(random: Random, column: string, value: TableValue): TableValue {
  if (random.chance(0.2)) return null
  const texts = json[column]
  if (texts !== undefined) return random.pick(texts)
  if (column === 'ended') return 1 - Number(value)
  if (typeof value === 'number') return value + random.pick([-1, 1]) * (1 + random.below(random.pick([1, 1000, 1e9])))
  if (column === 'hash') return hashOf(random)
  if (column.endsWith('_at')) return random.below(2e12)
  const text = value ?? ''
  const place = random.below(text.length + 1)
  return random.pick([
    text.slice(0, place) + random.text(1, letters) + text.slice(place + 1),
    `${text}\0${random.text(2, letters)}`,
    '',
  ])
}

/** @param where - only rows that have a value there, if there are any. */
function edit(random: Random, now: Rows, table: keyof Rows, change: (row: TableRow) => TableRow, where?: string): Rows {
  const rows = now[table]
  const fit = where === undefined ? rows : rows.filter((row) => row[where] !== null)
  if (fit.length === 0) return now
  const chosen = random.pick(fit)
  return { ...now, [table]: rows.map((row) => (row === chosen ? change(row) : row)) }
}

/** The same row at some time before. */
function former(random: Random, past: readonly Rows[], table: keyof Rows, row: TableRow): TableRow | undefined {
  if (past.length === 0) return undefined
  const by = table === 'keys' ? 'id' : table === 'secrets' ? 'hash' : 'owner'
  return random.pick(past)[table].find((then) => then[by] === row[by])
}

/** One value of two keys, each now the other's. */
function exchange(random: Random, now: Rows, column: string): Rows {
  const [one, other] = [random.pick(now.keys), random.pick(now.keys)]
  return {
    ...now,
    keys: now.keys.map((row) => {
      if (row === one) return { ...row, [column]: other[column] ?? null }
      return row === other ? { ...row, [column]: one[column] ?? null } : row
    }),
  }
}

/** An unused place: behind all keys, in between, or where a check might not look. */
function placeOf(random: Random, now: Rows): number {
  const taken = new Set(now.keys.map(({ place }) => place))
  for (;;) {
    const place = random.pick([1, 0, -1, -1000, Number.MIN_SAFE_INTEGER]) + random.below(1 + 2 * now.keys.length)
    if (!taken.has(place)) return place
  }
}

function hashOf(random: Random): string {
  return createHash('sha256').update(random.text(20, letters)).digest('hex')
}
