/** A pattern of LIKE for all that contains a text; its ESCAPE is `!`: engines differ about a backslash in a literal. */
export function like(text: string): string {
  return `%${text.replaceAll(/[!%_]/g, '!$&')}%`
}

/** As `LOWER` of both engines: other capital letters than those of ASCII stay as they are. */
export function lower(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}
