/** Members without those that are `undefined`. */
type Given<Members> = { readonly [Name in keyof Members]?: Exclude<Members[Name], undefined> }

/** The options that were given: a member without a value is left out. */
export function given<Members extends object>(members: Members): Given<Members> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<Members>
}
