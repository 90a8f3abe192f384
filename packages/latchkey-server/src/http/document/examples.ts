import type { OpenKeyring } from 'latchkey'

// The examples in the sources are about keys of the environment `live` with scopes on orders. Whoever executes an example
// has other scopes: the document of a server shows the ones that its keyring declares.

/** A copy of a document whose examples have the environment and the scopes of this keyring. */
export function examplesIn<Document extends object>(
  document: Document,
  { environments, scopes }: Pick<OpenKeyring, 'environments' | 'scopes'>,
): Document {
  const [first, second = first] = Object.keys(scopes)
  const words = new Map([
    ['live', environments[0]],
    ['orders:read', first],
    ['orders:write', second],
  ])
  const translated = (example: unknown): unknown => {
    if (typeof example === 'string') return words.has(example) ? words.get(example) : example
    if (Array.isArray(example)) return [...new Set(example.map(translated))].filter((item) => item !== undefined)
    if (typeof example !== 'object' || example === null) return example
    return Object.fromEntries(Object.entries(example).map(([name, member]) => [name, translated(member)]))
  }
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        if (name === 'example') return [name, translated(member)]
        if (name !== 'examples' || !Array.isArray(member)) return [name, visit(member)]
        // Without declared scopes, no example of a list of them is left.
        return [name, member.map(translated).filter((example) => !Array.isArray(example) || example.length > 0)]
      }),
    )
  }
  return visit(document) as Document
}
