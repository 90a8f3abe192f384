import type { Entry } from 'latchkey'
import { iso } from '../input/when.ts'
import { counted } from '../terminal/progress.ts'
import { amountText, changedText, givenText, purgedText } from './members.ts'

/** An entry as the verbs below need it. Something else than Latchkey may have written any member of its change. */
interface Deed extends Pick<Entry, 'at' | 'change'> {
  /** The key or the owner, as people name it. */
  readonly subject: string
  readonly isOwner: boolean
}

/** What the actor did, in the past tense. Every action has its words: one that is missing does not compile. */
const deeds: Readonly<Record<Entry['action'], (deed: Deed) => string>> = {
  issue: ({ subject, change }) => withMore(`issued ${subject}`, givenText(change)),
  import: ({ subject, change }) => {
    const { algorithm } = change
    return withMore(`imported ${subject}`, [
      ...(typeof algorithm === 'string' ? [`by ${algorithm}`] : []),
      ...givenText(change),
    ])
  },
  change: ({ subject, change }) =>
    withMore(`changed ${subject}`, [...changedText(change), ...amountText(change), ...purgedText(change)]),
  rotate: ({ subject, at, change: { oldEndsAt, replaced } }) => {
    const end =
      typeof oldEndsAt !== 'number'
        ? []
        : [oldEndsAt > at ? `old secret works until ${iso(oldEndsAt)}` : 'old secret ended at once']
    const lost = typeof replaced === 'string' ? [`another new secret in place of ${replaced}…, which was lost`] : []
    return withMore(`rotated ${subject}`, [...lost, ...end])
  },
  retire: ({ subject }) => `ended the old secret of ${subject}`,
  disable: ({ subject, isOwner, change }) =>
    withMore(`disabled ${subject}`, isOwner ? ['all its keys are refused', ...changedText(change)] : []),
  enable: ({ subject, isOwner, change }) => withMore(`enabled ${subject}`, isOwner ? changedText(change) : []),
  revoke: ({ subject, change: { reason } }) =>
    withMore(`revoked ${subject}`, typeof reason === 'string' ? [reason] : []),
  erase: ({ subject, change: { owner } }) => {
    if (owner === true) return 'erased an owner for good'
    return subject === 'erased' ? 'emptied entries about what was erased' : `erased ${subject} for good`
  },
  purge: ({ subject, change: { before } }) => {
    if (typeof before !== 'object' || before === null) return `purged ${subject}, which was revoked long ago`
    const kinds = Object.entries(before).flatMap(([kind, end]) => {
      return typeof end === 'number' ? [`${rowsText[kind] ?? kind} from before ${iso(end)}`] : []
    })
    return withMore('purged old rows', kinds)
  },
  snapshot: ({ change: { rows } }) => {
    const count = Array.isArray(rows) ? rows.length : 0
    return `noted ${counted(count, 'key or owner', 'keys and owners')} that an older version had stored`
  },
}

/** What is purged by age, as people name it. */
const rowsText: Readonly<Record<string, string>> = { usage: 'usage', usageSums: 'sums by day', refusals: 'refusals' }

/** An entry as a sentence for people, with the note at its end. */
export function sentenceOf(entry: Entry): string {
  const { actor, actorName, action, at, change, emptiedBy } = entry
  const who = actorName === null ? actor : `${actorName} (${actor})`
  const { note } = change
  const why = typeof note === 'string' ? ` "${note}"` : ''
  const isOwner = entry.subject.startsWith('owner:')
  const since = emptiedBy === undefined ? '' : ` What it was is erased: entry ${emptiedBy} says so.`
  return `${who} ${deeds[action]({ at, change, isOwner, subject: subjectText(entry, isOwner) })}.${why}${since}`
}

function subjectText({ subject, subjectName, change: { name } }: Entry, isOwner: boolean): string {
  if (isOwner) return `owner ${subject.slice('owner:'.length)}`
  // A key that was issued with another name is told of by the name that it has now.
  const known = subjectName ?? (typeof name === 'string' ? name : undefined)
  return known === undefined ? subject : `${known} (${subject})`
}

function withMore(deed: string, more: readonly string[]): string {
  return more.length === 0 ? deed : `${deed}: ${more.join('; ')}`
}
