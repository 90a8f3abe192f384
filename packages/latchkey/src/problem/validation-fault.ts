import type { FastifyError } from 'fastify'
import { pointerPart } from './json-text.ts'
import type { Fault } from './problem.ts'

/** Characters of a name that a caller has chosen. */
const longestName = 64

/** The bounds of JSON Schema in words: the validator writes them in capitals and signs. */
const bounds: Readonly<Record<string, (limit: number) => string>> = {
  minLength: (limit) => (limit === 1 ? 'must not be empty' : `must have at least ${limit} characters`),
  maxLength: (limit) => `must have at most ${limit} characters`,
  minItems: (limit) => (limit === 1 ? 'must not be empty' : `must have at least ${limit} items`),
  maxItems: (limit) => `must have at most ${limit} items`,
  minProperties: (limit) => (limit === 1 ? 'must not be empty' : `must have at least ${limit} members`),
  maxProperties: (limit) => `must have at most ${limit} members`,
  minimum: (limit) => `must be at least ${limit}`,
  maximum: (limit) => `must be at most ${limit}`,
}

/**
 * The fault of one part of a request, from the validator's report. An unknown member is told with those that are known, if
 * the validator has put them into the report as `knownProperties`.
 */
export function faultOf({
  instancePath,
  keyword,
  message = 'does not fit',
  params,
}: NonNullable<FastifyError['validation']>[number]): Fault {
  if (keyword === 'enum') return { pointer: instancePath, detail: `must be one of ${wordsOf(params['allowedValues'])}` }
  const missing = keyword === 'required' ? params['missingProperty'] : undefined
  if (typeof missing === 'string') return { pointer: `${instancePath}/${pointerPart(missing)}`, detail: 'is required' }
  const unknown = keyword === 'additionalProperties' ? params['additionalProperty'] : undefined
  if (typeof unknown === 'string') {
    const known = wordsOf(params['knownProperties'])
    const detail = known === '' ? 'is not known here' : `is not known here; known are: ${known}`
    return { pointer: `${instancePath}/${pointerPart(shortened(unknown))}`, detail }
  }
  const limit = params['limit']
  const inWords = typeof limit === 'number' ? bounds[keyword]?.(limit) : undefined
  return { pointer: instancePath, detail: inWords ?? message }
}

/** The values that a schema allows. They are few, and the application has chosen them. */
function wordsOf(allowed: unknown): string {
  const values: readonly unknown[] = Array.isArray(allowed) ? allowed : []
  return values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(', ')
}

/** A name that a caller has chosen, which may be as long as the body, cut short. */
export function shortened(name: string): string {
  return name.length > longestName ? `${name.slice(0, longestName)}…` : name
}
