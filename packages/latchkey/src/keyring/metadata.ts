import { bounds, invalid } from '../input.ts'
import type { JsonValue, Metadata } from '../policy/metadata.ts'
import { holdsSecret } from '../secret/find.ts'

const { bytes, depth, name: longestName } = bounds.metadata

/**
 * Metadata after a change, as JSON Merge Patch (RFC 7396) has it: a member that is given is set, `null` removes it, objects
 * are merged member by member, and everything else stays.
 *
 * @throws LatchkeyError `invalid_input` for a patch, or a result, that is not as it must be.
 */
export function metadataAfter(before: Metadata, patch: unknown): Metadata {
  if (!isPlain(patch)) throw invalid('metadata', 'an object')
  const after = merged(before, checked(patch, 1) as Metadata)
  if (Buffer.byteLength(JSON.stringify(after)) > bytes) throw invalid('metadata', `at most ${bytes} bytes as JSON`)
  return after
}

/** A copy of a value that is JSON within the bounds. */
function checked(value: unknown, level: number): JsonValue {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (typeof value === 'string') return checkedText(value)
  const isList = Array.isArray(value)
  if (!isList && !isPlain(value))
    throw invalid('metadata', 'JSON: texts, finite numbers, true, false, null, lists and objects')
  if (level > depth) throw invalid('metadata', `at most ${depth} levels deep`)
  // A hole of a list is refused as undefined.
  if (isList) return Array.from(value, (item: unknown) => checked(item, level + 1))
  // A member named `__proto__` becomes a member like any other.
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (name === '' || name.length > longestName) {
        throw invalid('metadata', `an object whose names have 1 to ${longestName} characters`)
      }
      return [checkedText(name), checked(member, level + 1)]
    }),
  )
}

function checkedText(text: string): string {
  if (text.length > bytes) throw invalid('metadata', `at most ${bytes} bytes as JSON`)
  if (!text.isWellFormed()) throw invalid('metadata', 'without halves of surrogate pairs')
  if (holdsSecret(text)) {
    throw invalid('metadata', 'without a secret in it, and there is one: it would be kept and shown. Rotate its key')
  }
  return text
}

function merged(before: Metadata, patch: Metadata): Metadata {
  const after = new Map(Object.entries(before))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) after.delete(name)
    else after.set(name, isPlain(value) ? merged(ownObject(before, name), value) : value)
  }
  return Object.fromEntries(after)
}

/** The member of an object if it is an object itself; otherwise an empty one, whose place the patch takes. */
function ownObject(object: Metadata, name: string): Metadata {
  const value = Object.hasOwn(object, name) ? object[name] : undefined
  return isPlain(value) ? value : {}
}

/** Not a list, nor an object of a class: a Map has no members of its own, and would be kept as nothing. */
function isPlain(value: unknown): value is Metadata {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
