/** Members without those that are `undefined`. */
type Defined<Members> = { readonly [Name in keyof Members]?: Exclude<Members[Name], undefined> }

/** The options that were given: a member without a value is left out. */
export function defined<Members extends object>(members: Members): Defined<Members> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<Members>
}
