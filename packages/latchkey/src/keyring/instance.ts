import { hostname } from 'node:os'
import { bounds, text } from '../input.ts'

/** The name of this process, by which people recognise what it has done. */
export function instanceOf(name: string | undefined): string {
  if (name !== undefined) return text('instance', name, bounds.label)
  const id = ` ${process.pid}`
  return hostname().slice(0, bounds.label - id.length) + id
}
