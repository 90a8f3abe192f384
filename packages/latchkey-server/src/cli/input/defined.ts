/** Members without those that are `undefined`. */
type Defined<Members> = { readonly [Name in keyof Members]?: Exclude<Members[Name], undefined> }

/** Removes the members without a value: those of options that were not given. */
export function defined<Members extends object>(members: Members): Defined<Members> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<Members>
}

/** Of all flags of a command, those with these names that were given. */
export function picked<Options extends object, Name extends keyof Options>(
  options: Options,
  names: readonly Name[],
): Defined<Pick<Options, Name>> {
  return defined(Object.fromEntries(names.map((name) => [name, options[name]])) as Pick<Options, Name>)
}
