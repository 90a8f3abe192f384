import type { Row, Value } from './journal-table.ts'
import { columns, hashOf, rechained } from './journal-table.ts'
import type { Random } from './random.ts'

/** A tampered journal. By chance it may equal the original; if you need a difference, check. */
export type Tampering = (random: Random, rows: readonly Row[]) => readonly Row[]

/** The columns whose values are text. */
const texts = ['actor', 'action', 'subject', 'change', 'previous', 'hash'] as const

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_:",{}'

const hexadecimal = '0123456789abcdef'

/** Ways that leave a mark in the journal itself, by what they are: each must be found. */
export const tamperings: Readonly<Record<string, Readonly<Record<string, Tampering>>>> = {
  edit: {
    'a character': (random, rows) =>
      edit(random, rows, random.pick(texts), (value) => {
        const text = String(value)
        const place = random.below(text.length)
        return text.slice(0, place) + random.text(1, letters) + text.slice(place + 1)
      }),
    'a character less': (random, rows) =>
      edit(random, rows, random.pick(texts), (value) => {
        const place = random.below(String(value).length)
        return String(value).slice(0, place) + String(value).slice(place + 1)
      }),
    'a value of another entry': (random, rows) => {
      const column = random.pick(columns.slice(1))
      return edit(random, rows, column, () => random.pick(rows)[column])
    },
    'two values of an entry exchanged': (random, rows) => {
      const [one, other] = [random.pick(texts), random.pick(texts)]
      return replace(random, rows, (row) => ({ ...row, [one]: row[other], [other]: row[one] }))
    },
    'another time': (random, rows) =>
      edit(
        random,
        rows,
        'at',
        (at) => Number(at) + random.pick([-1, 1]) * (1 + random.below(random.pick([1, 1000, 86_400_000]))),
      ),
    'a time that is none': (random, rows) =>
      edit(random, rows, 'at', () =>
        random.pick([0, -1, 0.5, 'yesterday', 2n ** 60n, Number.MAX_VALUE, new Uint8Array(8)]),
      ),
    'white space': (random, rows) =>
      edit(random, rows, random.pick(texts), (value) =>
        random.pick([` ${String(value)}`, `${String(value)} `, `${String(value)}\n`]),
      ),
    'white space in JSON': (random, rows) => edit(random, rows, 'change', (value) => String(value).replace(':', ': ')),
    'members of JSON in another order': (random, rows) =>
      edit(random, rows, 'change', (value) => {
        const members = Object.entries(JSON.parse(String(value)) as object)
        return JSON.stringify(Object.fromEntries(members.toReversed()))
      }),
    'other letters': (random, rows) =>
      edit(random, rows, random.pick(texts), (value) =>
        random.chance(0.5) ? String(value).toUpperCase() : String(value).toLowerCase(),
      ),
    'something after a NUL': (random, rows) =>
      edit(random, rows, random.pick(texts), (value) => `${String(value)}\0${random.text(random.below(9), letters)}`),
    nothing: (random, rows) => edit(random, rows, random.pick(texts), () => ''),
    bytes: (random, rows) => edit(random, rows, random.pick(texts), (value) => Buffer.from(String(value))),
    'another hash': (random, rows) =>
      edit(random, rows, random.pick(['hash', 'previous']), () => random.text(64, hexadecimal)),
    'with its own hash mended': (random, rows) => {
      // Not the newest: behind it is nothing that would show it, but a checkpoint.
      const place = random.below(rows.length - 1)
      const changed = { ...rows[place]!, ...madeUp(random, rows) }
      return rows.with(place, { ...changed, hash: hashOf(changed) })
    },
    'with another number': (random, rows) => {
      const seq = random.pick([0, -1, -random.below(1_000_000), rows.length + 1 + random.below(1_000_000)])
      return inOrder(replace(random, rows, (row) => ({ ...row, seq })))
    },
  },
  deletion: {
    one: (random, rows) => rows.toSpliced(random.below(rows.length - 1), 1),
    'a stretch': (random, rows) => {
      const place = random.below(rows.length - 1)
      return rows.toSpliced(place, 1 + random.below(rows.length - 1 - place))
    },
    'one, and the rest numbered anew': (random, rows) => numbered(rows.toSpliced(random.below(rows.length - 1), 1)),
    'the first': (_, rows) => rows.slice(1),
    'every other one': (_, rows) => rows.filter((_row, index) => index % 2 === 1),
    all: () => [],
  },
  insertion: {
    'one again, at the end': (random, rows) => [...rows, { ...random.pick(rows), seq: rows.length + 1 }],
    'one again, further behind': (random, rows) => [
      ...rows,
      { ...random.pick(rows), seq: rows.length + 2 + random.below(1000) },
    ],
    'one again, in between': (random, rows) =>
      numbered(rows.toSpliced(random.below(rows.length), 0, { ...random.pick(rows) })),
    'one made up, with a hash made up': (random, rows) => [
      ...rows,
      {
        ...random.pick(rows),
        ...madeUp(random, rows),
        seq: rows.length + 1,
        previous: rows.at(-1)?.hash ?? '',
        hash: random.text(64, hexadecimal),
      },
    ],
    'one made up and chained, in between': (random, rows) => {
      const place = random.below(rows.length)
      const one = { ...rows[place]!, ...madeUp(random, rows) }
      return numbered(rows.toSpliced(place, 0, { ...one, hash: hashOf(one) }))
    },
    'one before the first': (random, rows) => {
      const one = { ...random.pick(rows), ...madeUp(random, rows), seq: -random.below(10), previous: '0'.repeat(64) }
      return [{ ...one, hash: hashOf(one) }, ...rows]
    },
  },
  swap: {
    'two entries': (random, rows) => exchange(rows, random.below(rows.length), random.below(rows.length)),
    neighbours: (random, rows) => {
      const place = random.below(rows.length - 1)
      return exchange(rows, place, place + 1)
    },
    'a value of two entries': (random, rows) => {
      const column = random.pick(columns.slice(1))
      const [one, other] = [random.below(rows.length), random.below(rows.length)]
      const [first, second] = [rows[one]!, rows[other]!]
      return rows.with(one, { ...first, [column]: second[column] }).with(other, { ...second, [column]: first[column] })
    },
    'a stretch turned round': (random, rows) => {
      const place = random.below(rows.length - 1)
      const end = place + 2 + random.below(rows.length - 1 - place)
      return numbered([...rows.slice(0, place), ...rows.slice(place, end).toReversed(), ...rows.slice(end)])
    },
  },
  cut: {
    'the newest': (_, rows) => rows.slice(0, -1),
    'some of the newest': (random, rows) => rows.slice(0, 1 + random.below(rows.length - 1)),
    'some of the newest, and fewer made up and chained': (random, rows) => {
      const kept = random.below(rows.length - 1)
      const more = random.below(rows.length - 1 - kept)
      return rechained([...rows.slice(0, kept), ...Array.from({ length: more }, () => another(random, rows))], kept)
    },
  },
}

/** Ways that end in a whole chain, and in revisions that fit it: only a checkpoint shows them. */
export const forgeries: Readonly<Record<string, Tampering>> = {
  'an edit': (random, rows) => {
    const place = random.below(rows.length)
    return rechained(rows.with(place, { ...rows[place]!, ...madeUp(random, rows) }), place)
  },
  'a deletion': (random, rows) => {
    const place = random.below(rows.length)
    return rechained(rows.toSpliced(place, 1), place)
  },
  'an insertion': (random, rows) => {
    const place = random.below(rows.length)
    return rechained(rows.toSpliced(place, 0, another(random, rows)), place)
  },
  'a swap': (random, rows) => {
    const [one, other] = [random.below(rows.length), random.below(rows.length)]
    return rechained(rows.with(one, rows[other]!).with(other, rows[one]!), Math.min(one, other))
  },
  'a cut': (random, rows) => rows.slice(0, random.below(rows.length)),
  'a cut, filled up again': (random, rows) => {
    const kept = random.below(rows.length)
    const made = Array.from({ length: rows.length - kept }, () => another(random, rows))
    return rechained([...rows.slice(0, kept), ...made], kept)
  },
}

/** Contents that an attacker might want. */
function madeUp(random: Random, rows: readonly Row[]): Partial<Row> {
  const member = random.pick(['at', 'actor', 'action', 'subject', 'change'] as const)
  if (member === 'at') return { at: Number(random.pick(rows).at) + 1 + random.below(1000) }
  if (member === 'change') return { change: JSON.stringify({ reason: random.text(8, letters) }) }
  return { [member]: random.text(8, letters) }
}

function another(random: Random, rows: readonly Row[]): Row {
  return { ...random.pick(rows), ...madeUp(random, rows) }
}

function replace(random: Random, rows: readonly Row[], change: (row: Row) => Row): readonly Row[] {
  const place = random.below(rows.length)
  return rows.with(place, change(rows[place]!))
}

function edit(
  random: Random,
  rows: readonly Row[],
  column: (typeof columns)[number],
  change: (value: Value) => Value,
): readonly Row[] {
  return replace(random, rows, (row) => ({ ...row, [column]: change(row[column]) }))
}

/** All of two entries but their numbers. */
function exchange(rows: readonly Row[], one: number, other: number): readonly Row[] {
  const [first, second] = [rows[one]!, rows[other]!]
  return rows.with(one, { ...second, seq: first.seq }).with(other, { ...first, seq: second.seq })
}

/** Numbered from 1 on, and otherwise as they are. */
function numbered(rows: readonly Row[]): readonly Row[] {
  return rows.map((row, index) => (row.seq === index + 1 ? row : { ...row, seq: index + 1 }))
}

function inOrder(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted((one, other) => one.seq - other.seq)
}
