import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { checkOf } from './schema-check.ts'

/**
 * Validates requests by our own rules, also in an application that has others. A body is taken as it is: a number is not a
 * text. A part of the address is a text, and is converted to the type that its schema names.
 */
export function requestValidation(): FastifySchemaCompiler<TSchema> {
  return ({ schema, httpPart }) => {
    const check = checkOf(schema, httpPart !== 'body')
    return (value: unknown) => {
      const { faults } = check(value)
      return faults.length === 0 ? true : { error: [...faults] }
    }
  }
}
