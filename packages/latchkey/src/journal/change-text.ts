/** The members of an entry's change. Empty if it is not JSON: a program that can write to the database can chain any text. */
export function membersOfText(change: string): Readonly<Record<string, unknown>> {
  try {
    return { ...(JSON.parse(change) as object | null) }
  } catch {
    return {}
  }
}
