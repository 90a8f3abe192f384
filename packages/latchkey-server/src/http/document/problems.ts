import { refusals } from 'latchkey'
import { errorStatuses } from '../route/errors.ts'

// Not an import: that makes Node load all that it can do with HTTP, WebSockets included.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

const media = 'application/problem+json'

/** An answer of the document. */
interface Response {
  readonly content?: Readonly<Record<string, { schema?: object }>>
}

/** The codes that come neither from a refusal nor from an error of the keyring. */
const otherCodes: Readonly<Record<string, readonly string[]>> = {
  400: ['bad_request', 'invalid_json'],
  404: ['unknown_entry', 'unknown_refusal'],
  413: ['body_too_large'],
  415: ['unsupported_media_type'],
  422: ['invalid_request'],
}

/** One problem of each status, as an example. */
const shown: Readonly<Record<string, { readonly code: string; readonly detail: string }>> = {
  400: { code: 'bad_request', detail: 'If-Match must be entity tags, such as "12".' },
  401: refusals.missing.answer,
  403: refusals.insufficient_scope.answer,
  404: { code: 'unknown_key', detail: 'No key has this id.' },
  409: { code: 'conflict', detail: 'The key is revoked.' },
  412: { code: 'precondition_failed', detail: 'The key was changed by somebody else meanwhile. Read it again.' },
  413: { code: 'body_too_large', detail: 'The body is too large.' },
  415: { code: 'unsupported_media_type', detail: 'Send the body as application/json.' },
  422: { code: 'unknown_scope', detail: 'The scope "orders:fly" is not declared.' },
  429: refusals.over_limit.answer,
  503: refusals.unavailable.answer,
}

/** All codes that an answer with this status can have. */
function codesOf(status: string): readonly string[] {
  const answers = Object.values(refusals).map(({ answer }) => answer)
  const ofRefusals = answers.filter((answer) => String(answer.status) === status).map(({ code }) => code)
  const ofErrors = Object.entries(errorStatuses).filter(([, its]) => String(its) === status)
  return [...new Set([...ofRefusals, ...ofErrors.map(([code]) => code), ...(otherCodes[status] ?? [])])]
}

/** A problem with this status: one schema for each status, with the closed list of its codes. */
function problemWith(status: string): object {
  const { code = '', detail = '', type = 'about:blank' } = { type: undefined, ...shown[status] }
  const properties = {
    status: { const: Number(status), description: 'The status of the answer' },
    code: { enum: codesOf(status), description: 'What is wrong, as a stable code for programs' },
  }
  const instance = 'urn:uuid:413527cf-c036-4b53-90ef-18adf1e88e76'
  return {
    allOf: [{ $ref: '#/components/schemas/Problem' }, { properties }],
    examples: [{ type, title: STATUS_CODES[status], status: Number(status), detail, instance, code }],
  }
}

/** Gives every error its own schema by its status, and answers these schemas by their names. */
export function closeProblems(responses: readonly (readonly [string, Response])[]): Readonly<Record<string, object>> {
  const schemas: Record<string, object> = {}
  for (const [status, { content }] of responses) {
    const body = content?.[media]
    if (body === undefined) continue
    const name = `Problem${status}`
    schemas[name] ??= problemWith(status)
    body.schema = { $ref: `#/components/schemas/${name}` }
  }
  return schemas
}
