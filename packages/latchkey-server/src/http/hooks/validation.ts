import { Ajv } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'

/**
 * How requests are validated, whatever the application does with its own: bodies are taken as they are, so that a
 * number is not a text; parts of the address are texts, and read as what they should be.
 */
export function requestValidation(): FastifySchemaCompiler<TSchema> {
  const options = { strict: false, allErrors: true, removeAdditional: false } as const
  const asIs = new Ajv({ ...options, coerceTypes: false })
  const fromText = new Ajv({ ...options, coerceTypes: true })
  return ({ schema, httpPart }) => (httpPart === 'body' ? asIs : fromText).compile(schema)
}
