import type { Type as TypeBox } from 'typebox'

/** The builders of TypeBox that the routes use. */
type Builders = Pick<
  typeof TypeBox,
  | 'Array'
  | 'Boolean'
  | 'Enum'
  | 'Integer'
  | 'Literal'
  | 'Null'
  | 'Number'
  | 'Object'
  | 'Optional'
  | 'Record'
  | 'String'
  | 'Union'
  | 'Unsafe'
>

type Options = Readonly<Record<string, unknown>>

/** Members that may be left out. It is no part of a schema, so a copy of the schema does not have it. */
const optional = new WeakSet<object>()

const of =
  (type: string) =>
  (options: Options = {}) => ({ type, ...options })

const builders = {
  String: of('string'),
  Integer: of('integer'),
  Number: of('number'),
  Boolean: of('boolean'),
  Null: of('null'),
  Literal: (value: unknown, options: Options = {}) => ({ type: typeof value, const: value, ...options }),
  Enum: (values: readonly unknown[], options: Options = {}) => ({ enum: values, ...options }),
  Union: (schemas: readonly object[], options: Options = {}) => ({ anyOf: schemas, ...options }),
  Array: (items: object, options: Options = {}) => ({ type: 'array', items, ...options }),
  Record: (_name: object, value: object, options: Options = {}) => {
    return { type: 'object', patternProperties: { '^.*$': value }, ...options }
  },
  Object: (properties: Readonly<Record<string, object>>, options: Options = {}) => {
    const required = Object.keys(properties).filter((name) => !optional.has(properties[name] as object))
    return { type: 'object', ...(required.length === 0 ? {} : { required }), properties, ...options }
  },
  Optional: (schema: object) => {
    const copy = { ...schema }
    optional.add(copy)
    return copy
  },
  Unsafe: (schema: object) => schema,
} satisfies Record<keyof Builders, (...values: never[]) => object>

/**
 * Makes JSON Schemas with the types of TypeBox. TypeBox itself loads nearly four hundred modules, most of a start, of which
 * the routes need these few lines.
 */
export const Type = builders as unknown as Builders
