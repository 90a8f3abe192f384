import type { ErrorObject } from 'ajv'
import { Ajv } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'

/**
 * Validates requests by our own rules, also in an application that has others. A body is taken as it is: a number is not a
 * text. A part of the address is a text, and is converted to the type that its schema names. A schema is compiled when its
 * first request comes, which takes a few milliseconds: a start does not wait for the schemas of all routes.
 */
export function requestValidation(): FastifySchemaCompiler<TSchema> {
  const options = { strict: false, allErrors: true, removeAdditional: false, verbose: true } as const
  const asIs = new Ajv({ ...options, coerceTypes: false })
  const fromText = new Ajv({ ...options, coerceTypes: true })
  return ({ schema, httpPart }) => {
    const ajv = httpPart === 'body' ? asIs : fromText
    let compiled: ReturnType<Ajv['compile']> | undefined
    return (value: unknown) => {
      compiled ??= ajv.compile(schema)
      return compiled(value) === true ? true : { error: (compiled.errors ?? []).map(reported) }
    }
  }
}

/** A report without the value, which may be a secret, and for an unknown member with the names of those that are known. */
function reported({ data: _data, schema: _schema, parentSchema, ...report }: ErrorObject): ErrorObject {
  if (report.keyword !== 'additionalProperties') return report
  const properties = (parentSchema?.['properties'] ?? {}) as object
  return { ...report, params: { ...report.params, knownProperties: Object.keys(properties) } }
}
