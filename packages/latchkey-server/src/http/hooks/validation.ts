import { Ajv } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'

/**
 * Validates requests by our own rules, also in an application that has others. A body is taken as it is: a number is not a
 * text. A part of the address is a text, and is converted to the type that its schema names.
 */
export function requestValidation(): FastifySchemaCompiler<TSchema> {
  const options = { strict: false, allErrors: true, removeAdditional: false } as const
  const asIs = new Ajv({ ...options, coerceTypes: false })
  const fromText = new Ajv({ ...options, coerceTypes: true })
  return ({ schema, httpPart }) => (httpPart === 'body' ? asIs : fromText).compile(schema)
}
