/** Moves every schema with a title to `components` under that name: generated clients then use the name. */
export function named<Document extends object>(
  document: Document,
): Document & { readonly components: { readonly schemas: object } } {
  const schemas: Record<string, unknown> = {}
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit)
    if (typeof value !== 'object' || value === null) return value
    if ('application/problem+json' in value) return problemReference(value, schemas)
    const copy = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, visit(member)]))
    const { title, type, anyOf } = copy
    // Only objects and unions of them: with the same title, a schema that also takes null is another schema.
    if (typeof title !== 'string' || (type !== 'object' && anyOf === undefined)) return copy
    schemas[title] ??= copy
    return { $ref: `#/components/schemas/${title}` }
  }
  const visited = visit(document) as Document & { readonly components?: object }
  return { ...visited, components: { ...visited.components, schemas } }
}

/** All errors share one schema. It has no title, and is found by its media type. */
function problemReference(content: object, schemas: Record<string, unknown>): object {
  const [media, { schema }] = Object.entries(content)[0] as [string, { schema: unknown }]
  schemas['Problem'] ??= schema
  return { [media]: { schema: { $ref: '#/components/schemas/Problem' } } }
}
