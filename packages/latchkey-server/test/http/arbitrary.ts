import fc from 'fast-check'

/** As much of JSON Schema as the document of the server uses. */
export interface Schema {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly minItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

/** What is known besides the schema. */
interface Context {
  /** Values for members with these names: a schema does not say what exists. */
  readonly named: Readonly<Record<string, fc.Arbitrary<unknown>>>
  /** The name of what is being made. */
  readonly name?: string
  /** What references lead to. */
  readonly schemas?: Readonly<Record<string, Schema>>
}

/** Values that mostly fit a schema. */
export function arbitraryOf(schema: Schema, context: Context): fc.Arbitrary<unknown> {
  const { named, name, schemas = {} } = context
  const known = name === undefined ? undefined : named[name]
  if (known !== undefined) return known
  if (schema.$ref !== undefined) return arbitraryOf(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, context)
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...schema.enum) }, fc.string())
  const types = [schema.type ?? []].flat()
  return types.length === 0 ? fc.jsonValue() : fc.oneof(...types.map((type) => typed(type, schema, context)))
}

function typed(type: string, schema: Schema, { named, schemas = {} }: Context): fc.Arbitrary<unknown> {
  const inner = (one: Schema, name?: string): fc.Arbitrary<unknown> =>
    arbitraryOf(one, { named, schemas, ...(name === undefined ? {} : { name }) })
  switch (type) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'integer':
    case 'number': {
      const { minimum = 0, maximum = 1000 } = schema
      const most = Math.min(maximum, Number.MAX_SAFE_INTEGER)
      return fc.oneof(
        { weight: 12, arbitrary: fc.integer({ min: minimum, max: Math.min(most, minimum + 5) }) },
        fc.constantFrom(minimum - 1, most, most + 1, 1.5),
      )
    }
    case 'array': {
      const { items = {}, minItems = 0 } = schema
      return fc.array(inner(items), { minLength: minItems, maxLength: minItems + 2 })
    }
    case 'object': {
      const { properties, required = [], patternProperties = {} } = schema
      const [values] = Object.values(patternProperties)
      if (properties === undefined)
        return fc.dictionary(fc.string(), inner(values ?? { type: 'string' }), { maxKeys: 3 })
      // Few of those that may be left out: with many of them one is always wrong.
      const optional = Object.keys(properties).filter((name) => !required.includes(name))
      return fc.subarray(optional, { maxLength: Math.min(3, optional.length) }).chain((chosen) => {
        const members = Object.entries(properties).filter(([name]) => required.includes(name) || chosen.includes(name))
        return fc.record(Object.fromEntries(members.map(([name, one]) => [name, inner(one, name)])))
      })
    }
    default: {
      const { minLength = 0, maxLength = 20 } = schema
      return fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 10) })
    }
  }
}
