// Not by an import: a module that imports `node:http` loads all that it can do, and that is a tenth of a second.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** The media type of every error (RFC 9457). */
export const problemMediaType = 'application/problem+json'

/** One member of a request that does not fit. */
export interface Fault {
  /** The place of the fault, as a JSON Pointer into the request's body (RFC 6901); the empty pointer is the whole of it. */
  readonly pointer: string
  /** The rule that the value must meet. */
  readonly detail: string
}

/** An error as it goes over the wire: a problem document (RFC 9457). */
export interface Problem {
  /**
   * `about:blank` where the status says it all (RFC 9457 4.2.1), or a registered type. Programs that want to know more
   * read `code`, which needs no address of ours to stay alive.
   */
  readonly type: string
  /** The name of the status. */
  readonly title: string
  readonly status: number
  /** A sentence for the person who reads it. */
  readonly detail: string
  /** Names this one occurrence: `urn:uuid:` and the request's id, where that is a UUID; otherwise `#` and the id. */
  readonly instance: string
  /** Names the problem for programs; stable. */
  readonly code: string
  /** The faults of the request, if they can be listed member by member. */
  readonly errors?: readonly Fault[]
  /** The names of the limits that had no room (draft-ietf-httpapi-ratelimit-headers). */
  readonly 'violated-policies'?: readonly string[]
}

/** The part of a problem document that a handler gives for an error; the rest comes from the request. */
export interface ProblemOptions {
  /** 400 to 599. */
  readonly status: number
  /** Names the problem for programs. */
  readonly code: string
  /** A sentence for the person who reads it. */
  readonly detail: string
  /** The registered type of the problem; `about:blank` if left out. */
  readonly type?: string | undefined
  /** The faults of the request, member by member. */
  readonly errors?: readonly Fault[]
  /** The names of the limits that had no room. */
  readonly violatedPolicies?: readonly string[] | undefined
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The standard words for a status, such as `Not Found`. */
export function reasonOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error'
}

/** The document for one occurrence. */
export function problemDocument(
  { status, code, detail, type = 'about:blank', errors, violatedPolicies }: ProblemOptions,
  requestId: string,
): Problem {
  return {
    type,
    title: reasonOf(status),
    status,
    detail,
    instance: uuid.test(requestId) ? `urn:uuid:${requestId}` : `#${encodeURIComponent(requestId)}`,
    code,
    ...(errors === undefined ? {} : { errors }),
    ...(violatedPolicies === undefined ? {} : { 'violated-policies': violatedPolicies }),
  }
}

/** The JSON Schema of a problem document, for OpenAPI. */
const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code'],
  properties: {
    type: {
      type: 'string',
      format: 'uri-reference',
      description: 'The type of the problem; `about:blank` where `status` and `code` say it all',
    },
    title: { type: 'string', description: 'The name of the status' },
    status: { type: 'integer', description: 'The status of the answer' },
    detail: { type: 'string', description: 'What is wrong, in a sentence for people' },
    instance: { type: 'string', format: 'uri-reference', description: 'The id of this request' },
    code: { type: 'string', description: 'What is wrong, as a stable code for programs' },
    errors: {
      type: 'array',
      description: 'Every member of the request that is wrong',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: {
          pointer: {
            type: 'string',
            format: 'json-pointer',
            description: 'Which member, as a JSON Pointer into the body',
          },
          detail: { type: 'string', description: 'What it must be' },
        },
      },
    },
    'violated-policies': {
      type: 'array',
      items: { type: 'string' },
      description: 'The names of the limits that are used up',
    },
  },
}

/** The 400 of every route; one sentence for all who can answer so, because OpenAPI has one place for it. */
export const malformedResponse: Readonly<Record<string, unknown>> = problemResponse(
  'The request is malformed, or has more than one API key; `code` says which',
)

/**
 * Makes a response that is a problem document, for the `response` of a route's schema.
 *
 * @param description - for the reader of the OpenAPI document.
 *
 * @example
 * const schema = { response: { 409: problemResponse('The order was changed meanwhile') } }
 * app.put('/orders/:id', { onRequest: requires('orders:write'), schema }, () => ({ ok: true }))
 */
export function problemResponse(description: string): Readonly<Record<string, unknown>> {
  return { description, content: { [problemMediaType]: { schema: problemSchema } } }
}
