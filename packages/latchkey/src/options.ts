import { LatchkeyError } from './error.ts'

/** No credential is longer, in characters; a longer text is refused unread. */
export const longestCredential = 1024

/**
 * Refuses an argument. The error names it and its rule. The value itself is not repeated: it may be a secret in the
 * wrong place.
 */
export function invalid(name: string, must: string): LatchkeyError {
  return new LatchkeyError('invalid_input', `${name} must be ${must}.`)
}

/**
 * Whether a value is an object whose members say what it holds. A list, a set, a map and a promise are not such
 * objects: their contents would be left out silently.
 */
export function hasMembers(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(Symbol.iterator in value) && !('then' in value)
}

/**
 * An object with no members but these. One that is not understood is refused and never left out: `graceSeconds` for
 * `grace` would let a compromised secret live on.
 *
 * @throws LatchkeyError `invalid_input`, naming the member.
 *
 * @example plain('The options of revoke', options, ['reason', 'note'])
 */
export function objectOf(name: string, value: unknown, members: readonly string[]): Readonly<Record<string, unknown>> {
  if (!hasMembers(value)) throw invalid(name, 'an object')
  for (const member of Object.keys(value)) {
    if (!members.includes(member)) {
      throw invalid(
        name,
        `an object with no members but ${members.join(', ')}; ${JSON.stringify(member.slice(0, 40))} is none`,
      )
    }
  }
  return value as Readonly<Record<string, unknown>>
}

/**
 * The names of all members of a type, for `plain`. The compiler says when one is missing, or gone.
 *
 * @example membersOf<RevokeOptions>({ actor: true, note: true, ifRevision: true, reason: true })
 */
export function membersOf<Options extends object>(names: Readonly<Record<keyof Options, true>>): readonly string[] {
  return Object.keys(names)
}
