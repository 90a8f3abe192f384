import { bounds, hasMembers, invalid } from '../../input.ts'
import type { MetadataMember } from '../../ports.ts'
import { holdsSecret } from '../../secret/find.ts'

/** What members of metadata must be: a text, a number, true or false; `null` is a member that is not there. */
export type MetadataFilter = Readonly<Record<string, string | number | boolean | null>>

const { name: longestName, asked } = bounds.metadata

// JSON writes these characters in another way than they are, in which engines do not look for them.
const unaskable = /["\\\p{Cc}\p{Cs}]/u

/**
 * The members that a filter asks for.
 *
 * @throws LatchkeyError `invalid_input`.
 */
export function metadataAsked(value: unknown): readonly MetadataMember[] {
  const members = hasMembers(value) ? Object.entries(value) : []
  if (members.length === 0 || members.length > asked.members) {
    throw invalid('metadata', `an object with 1 to ${asked.members} members, such as {"plan":"gold"}`)
  }
  return members.map(([name, member]: readonly [string, unknown]) => {
    if (name === '' || name.length > longestName || unaskable.test(name)) {
      const rule = `1 to ${longestName} characters, without quotation marks, backslashes and control characters`
      throw invalid('metadata', `an object whose names have ${rule}`)
    }
    return [name, checked(member)]
  })
}

function checked(value: unknown): MetadataMember[1] {
  if (value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
    return value
  if (typeof value !== 'string' || value.length > asked.text || !value.isWellFormed()) {
    throw invalid('metadata', `an object of texts of at most ${asked.text} characters, numbers, true, false and null`)
  }
  if (holdsSecret(value)) throw invalid('metadata', 'without a secret in it, and there is one. Rotate its key')
  return value
}
