import type { KeyMembers } from 'latchkey'
import { keyFields } from '../key-fields.ts'
import { counted } from '../terminal/progress.ts'

/** What an entry says of its change. Something else than Latchkey may have written any of it. */
type Change = Readonly<Record<string, unknown>>

/** The members that a new key was given. */
export function givenText(change: Change): readonly string[] {
  const { environment } = change
  const members = keyFields.flatMap(([member]) => {
    // The sentence has the name anyway.
    const text = member === 'name' ? '' : shown(member, change[member])
    return text === '' ? [] : [`${wordOf(member)} ${text}`]
  })
  return typeof environment === 'string' ? [...members, `environment ${environment}`] : members
}

/** The members of a key or an owner that were changed: what they were, and what they are. */
export function changedText({ before, after }: Change): readonly string[] {
  const [old, now] = [membersOf(before), membersOf(after)]
  const ofOwner = old['disabled'] !== undefined
  return keyFields.flatMap(([member]) => {
    if (!(member in old) && !(member in now)) return []
    const [from, to] = [shown(member, old[member]) || 'none', shown(member, now[member]) || 'none']
    // An entry on an owner says all of the owner, changed or not.
    return ofOwner && from === to ? [] : [`${wordOf(member)} ${from} → ${to}`]
  })
}

/** How an entry says that the remaining amount of a quota was changed. */
const amounts: Readonly<Record<string, (amount: number) => string>> = {
  quotaLeft: (amount) => `${amount} left`,
  quotaMore: (amount) => (amount < 0 ? `${-amount} less left` : `${amount} more left`),
  quotaAdded: (amount) => `${amount} added to what is left`,
  quotaTaken: (amount) => `${amount} taken from what is left`,
}

/** How many ended secrets of a key were purged. */
export function purgedText({ purgedSecrets }: Change): readonly string[] {
  return typeof purgedSecrets === 'number' ? [`${counted(purgedSecrets, 'secret')} purged that ended long ago`] : []
}

/** What was changed of the remaining amount of a quota. */
export function amountText(change: Change): readonly string[] {
  return Object.entries(amounts).flatMap(([member, text]) => {
    const amount = change[member]
    return typeof amount === 'number' ? [text(amount)] : []
  })
}

function wordOf(member: keyof KeyMembers<string>): string {
  const row = keyFields.find(([name]) => name === member)?.[1].show
  return typeof row === 'object' ? row.title : member
}

/** A value of a member for people; empty for none. */
function shown(member: keyof KeyMembers<string>, value: unknown): string {
  if (value === undefined || value === null) return ''
  try {
    return keyFields.find(([name]) => name === member)?.[1].kind.shown(value as never) ?? ''
  } catch {
    // No value of this member: something else than Latchkey has written it.
    return JSON.stringify(value)
  }
}

function membersOf(value: unknown): Change {
  return typeof value === 'object' && value !== null ? (value as Change) : {}
}
