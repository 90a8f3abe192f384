// The OpenAPI document of the server, as tests read it.

import assert from 'node:assert/strict'
import type { LightMyRequestResponse } from 'fastify'

/** As much of an operation as tests read, with its place. */
export interface Operation {
  readonly path: string
  readonly method: string
  readonly operationId: string
  readonly tags: readonly string[]
  readonly security: readonly object[]
  readonly parameters?: readonly { readonly name: string; readonly required?: boolean }[]
  readonly requestBody?: {
    readonly required?: boolean
    readonly content: { readonly 'application/json': { readonly example?: unknown } }
  }
  readonly responses: Readonly<Record<number, { readonly links?: Readonly<Record<string, Link>> }>>
}

interface Link {
  readonly operationId: string
  readonly parameters: Readonly<Record<string, string>>
}

/** As much of the document as tests read. */
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Omit<Operation, 'path' | 'method'>>>>>
}

type Answer = Pick<LightMyRequestResponse, 'headers' | 'body'>

/** All operations, in the order of the document. */
export function operationsOf({ paths }: Document): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method: method.toUpperCase() })),
  )
}

/** The status of an operation that does what it is for. */
export function successOf({ responses }: Operation): number {
  return responses[201] === undefined ? 200 : 201
}

/** The example of an operation's body. */
export function exampleOf({ requestBody }: Operation): unknown {
  return requestBody?.content['application/json'].example
}

/** The operation whose answer has the value of a parameter of another one, and where in the answer it is. */
export function linkTo(
  operations: readonly Operation[],
  { operationId, name }: { readonly operationId: string; readonly name: string },
): { readonly source: Operation; readonly expression: string } {
  for (const source of operations) {
    for (const { links = {} } of Object.values(source.responses)) {
      const expression = links[operationId]?.parameters[name]
      if (expression !== undefined) return { source, expression }
    }
  }
  return assert.fail(`No link leads to ${operationId}`)
}

/** What a link's expression names in an answer: `$response.body#` and a JSON Pointer, or `$response.header.` and a name. */
export function valueAt(expression: string, { headers, body }: Answer): string {
  const [, header] = /^\$response\.header\.(.*)$/.exec(expression) ?? []
  if (header !== undefined) return String(headers[header.toLowerCase()])
  const [, pointer = ''] = /^\$response\.body#(.*)$/.exec(expression) ?? []
  const parts = pointer.split('/').slice(1)
  return String(parts.reduce((value, part) => (value as Readonly<Record<string, unknown>>)[part], JSON.parse(body)))
}
