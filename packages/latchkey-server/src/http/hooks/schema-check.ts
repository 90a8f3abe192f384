import type { FastifySchemaValidationError } from 'fastify'

// A check of values by those keywords of JSON Schema that the requests of this server use. A schema with any other keyword
// is refused when the routes are made. It is a walk over the value: a compiler such as Ajv takes most of a start, and goes
// on to look at every part of a value that is too large.

/** A fault as validators report it. */
type Fault = FastifySchemaValidationError

/** The most faults that are reported, and looked for. */
const mostFaults = 100

/** The keywords that are checked. */
interface Schema {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: false
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly propertyNames?: Schema
  readonly maxProperties?: number
}

/** Keywords that are for the document alone. */
const annotations = ['title', 'description', 'examples', 'default']

const keywords: Readonly<Record<string, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties', 'patternProperties', 'propertyNames', 'maxProperties'],
  array: ['items', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength', 'pattern'],
  integer: ['minimum', 'maximum'],
  boolean: [],
}

/** Checks a value at a path, and answers it, or what it was converted to. */
type Check = (value: unknown, path: string, faults: Fault[]) => unknown

/**
 * Makes the check of one schema.
 *
 * @param isText - the value and its members are texts, and are converted to numbers and booleans where the schema has them.
 * @returns a function that reports the faults of a value.
 *
 * @throws TypeError for a keyword or a type that is not checked here.
 */
export function checkOf(schema: object, isText = false): (value: unknown) => { readonly faults: readonly Fault[] } {
  const check = valueCheck(schema, isText)
  return (value) => {
    const faults: Fault[] = []
    check(value, '', faults)
    return { faults }
  }
}

function valueCheck(schema: Schema, isText: boolean): Check {
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [])
  const [type, ...others] = types.filter((one) => one !== 'null')
  const known = type === undefined ? [] : keywords[type]
  if (known === undefined || others.length > 0 || (type ?? schema.enum) === undefined) {
    throw new TypeError(`A value of type ${types.join(', ')} is not checked.`)
  }
  const unknown = Object.keys(schema).find((name) => ![...known, ...annotations, 'type', 'enum'].includes(name))
  if (unknown !== undefined) throw new TypeError(`${unknown} is not checked in a value of type ${type}.`)

  const checkType = type === undefined ? undefined : ofType(type, schema, isText)
  const allowed = schema.enum
  const message = `must be ${types.join(' or ')}`
  return (value, path, faults) => {
    const converted = isText ? fromText(value, type) : value
    if (!types.some((one) => is(converted, one)) && type !== undefined) {
      faults.push({ instancePath: path, schemaPath: '', keyword: 'type', params: { type: schema.type }, message })
      return value
    }
    if (allowed?.includes(converted) === false) {
      const params = { allowedValues: [...allowed] }
      faults.push({ instancePath: path, schemaPath: '', keyword: 'enum', params })
    }
    if (converted !== null) checkType?.(converted, path, faults)
    return converted
  }
}

function is(value: unknown, type: string): boolean {
  if (type === 'null') return value === null
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  if (type === 'array') return Array.isArray(value)
  return type === 'integer' ? Number.isInteger(value) : typeof value === type
}

/** A part of an address or a header, as its schema has it; a text that is no such value stays as it is. */
function fromText(value: unknown, type: string | undefined): unknown {
  if (typeof value !== 'string') return value
  if (type === 'integer' && /^-?\d{1,16}$/.test(value)) return Number(value)
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}

function ofType(type: string, schema: Schema, isText: boolean): Check {
  if (type === 'object') return objectCheck(schema, isText)
  if (type === 'array') return arrayCheck(schema, isText)
  if (type === 'string') return stringCheck(schema)
  if (type === 'integer') return integerCheck(schema)
  return () => undefined
}

function integerCheck({ minimum = -Infinity, maximum = Infinity }: Schema): Check {
  return (value, path, faults) => {
    if ((value as number) < minimum) faults.push(beyond(path, 'minimum', minimum))
    if ((value as number) > maximum) faults.push(beyond(path, 'maximum', maximum))
  }
}

function stringCheck({ minLength = 0, maxLength = Infinity, pattern }: Schema): Check {
  const form = pattern === undefined ? undefined : new RegExp(pattern, 'u')
  const message = `must match pattern "${pattern}"`
  return (value, path, faults) => {
    const text = value as string
    if (text.length < minLength || (minLength > 1 && characters(text) < minLength)) {
      faults.push(beyond(path, 'minLength', minLength))
    }
    // A character has up to two units, so only a text of medium length must be counted.
    if (text.length > maxLength && (text.length > 2 * maxLength || characters(text) > maxLength)) {
      faults.push(beyond(path, 'maxLength', maxLength))
    } else if (form?.test(text) === false) {
      faults.push({ instancePath: path, schemaPath: '', keyword: 'pattern', params: { pattern }, message })
    }
  }
}

/** JSON Schema counts characters, and not the units of a string. */
function characters(text: string): number {
  return Array.from(text).length
}

function arrayCheck({ items, minItems = 0, maxItems = Infinity }: Schema, isText: boolean): Check {
  const check = items === undefined ? undefined : valueCheck(items, isText)
  return (value, path, faults) => {
    const list = value as readonly unknown[]
    if (list.length < minItems) faults.push(beyond(path, 'minItems', minItems))
    if (list.length > maxItems) {
      // The items of a list that is too long are not looked at: there may be millions.
      faults.push(beyond(path, 'maxItems', maxItems))
      return
    }
    if (check === undefined) return
    for (let index = 0; index < list.length && faults.length < mostFaults; index++) {
      check(list[index], `${path}/${index}`, faults)
    }
  }
}

function objectCheck(schema: Schema, isText: boolean): Check {
  const { properties = {}, required = [], additionalProperties, maxProperties = Infinity } = schema
  const members = new Map(
    Object.entries(properties).map(([name, member]) => [name, { path: `/${name}`, check: valueCheck(member, isText) }]),
  )
  const ofAny = anyMember(schema, isText)
  return (value, path, faults) => {
    const object = value as Record<string, unknown>
    for (const name of required) {
      if (Object.hasOwn(object, name)) continue
      faults.push({ instancePath: path, schemaPath: '', keyword: 'required', params: { missingProperty: name } })
    }
    const names = Object.keys(object)
    if (names.length > maxProperties) {
      faults.push(beyond(path, 'maxProperties', maxProperties))
      return
    }
    for (const name of names) {
      if (faults.length >= mostFaults) return
      const member = members.get(name)
      if (member !== undefined) {
        const converted = member.check(object[name], path + member.path, faults)
        if (converted !== object[name]) object[name] = converted
      } else if (ofAny !== undefined) {
        ofAny(object[name], { path, name, faults })
      } else if (additionalProperties === false) {
        const params = { additionalProperty: name }
        faults.push({ instancePath: path, schemaPath: '', keyword: 'additionalProperties', params })
      }
    }
  }
}

type MemberCheck = (
  value: unknown,
  at: { readonly path: string; readonly name: string; readonly faults: Fault[] },
) => void

/** The check of members whose names the caller chooses. */
function anyMember({ patternProperties, propertyNames }: Schema, isText: boolean): MemberCheck | undefined {
  if (patternProperties === undefined) return undefined
  const [[pattern, member] = [], ...others] = Object.entries(patternProperties)
  if (pattern !== '^.*$' || member === undefined || others.length > 0) {
    throw new TypeError('patternProperties is checked with the pattern ^.*$ only.')
  }
  const check = valueCheck(member, isText)
  const checkName = propertyNames === undefined ? undefined : stringCheck(propertyNames)
  return (value, { path, name, faults }) => {
    const pointer = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const before = faults.length
    checkName?.(name, path, faults)
    // The name that is wrong is not repeated: it may be as long as the body.
    if (faults.length === before) check(value, pointer, faults)
  }
}

function beyond(instancePath: string, keyword: string, limit: number): Fault {
  return { instancePath, schemaPath: '', keyword, params: { limit } }
}
