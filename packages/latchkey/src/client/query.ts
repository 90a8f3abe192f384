import { invalid } from '../options.ts'

/**
 * A value as the text of a member of a query: an object as JSON. What JSON would leave out, or write as null, is refused:
 * without it the question would be another one.
 */
export function queryText(name: string, value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return String(value)
  return JSON.stringify(value, (_, member: unknown) => {
    const isNumber = typeof member === 'number'
    if (isNumber ? Number.isFinite(member) : ['string', 'boolean', 'object'].includes(typeof member)) return member
    throw invalid(name, 'an object of texts, finite numbers, true, false and null')
  })
}
