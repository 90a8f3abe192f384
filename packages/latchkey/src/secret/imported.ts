import { hash } from 'node:crypto'
import { importedHashes } from './hash.ts'
import type { HashName, ImportedKind, Separator } from '../ports.ts'

/** The characters that may stand before the hashed part of a secret. */
export const separators: readonly Separator[] = ['|', '_', '.', '-', ':']

/** All kinds of imported secrets. */
export const importedKinds: readonly ImportedKind[] = importedHashes.flatMap((algorithm) => [
  algorithm,
  ...separators.map((separator) => `${algorithm} after ${separator}` as const),
])

/** The kind of a secret of which all is hashed, or the part after this text. */
export function kindOf(algorithm: HashName, before: string | null): ImportedKind {
  return before === null ? algorithm : `${algorithm} after ${before.at(-1) as Separator}`
}

/** The hash of a text as a secret of this kind, and the text before the hashed part. */
export interface Candidate {
  readonly hash: string
  readonly before: string | null
}

/** How a text would be stored if it was a secret of this kind; `undefined` if it cannot be one. */
export function candidateOf(kind: ImportedKind, text: string): Candidate | undefined {
  const algorithm: HashName = kind.startsWith('sha256') ? 'sha256' : 'sha512'
  if (kind === algorithm) return { hash: hash(algorithm, text, 'hex'), before: null }
  const start = text.lastIndexOf(kind.slice(-1)) + 1
  if (start === 0) return undefined
  return { hash: hash(algorithm, text.slice(start), 'hex'), before: text.slice(0, start) }
}
