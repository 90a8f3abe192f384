/** A pattern of LIKE for all that contains a text; its ESCAPE is a backslash. */
export function like(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
}
