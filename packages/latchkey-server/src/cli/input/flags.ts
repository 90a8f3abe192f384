import { isIP } from 'node:net'
import { InvalidArgumentError } from 'commander'

/** Reads words with commas between them, from one flag or several. */
export function words(text: string, before: readonly string[] | undefined = []): readonly string[] {
  return [
    ...before,
    ...text
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  ]
}

/** Reads a flag that may be repeated for more values. */
export function each<Value>(read: (text: string) => Value) {
  return (text: string, before: readonly Value[] | undefined = []): readonly Value[] => [...before, read(text)]
}

/** Reads a whole number from 1. */
export function atLeastOne(text: string): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (number < 1) throw new InvalidArgumentError('It must be a whole number from 1.')
  return number
}

/** Reads a whole number from 0. */
export function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

/** An IP address. Refuse any other text here: only a key bound to addresses would refuse it. */
export function ipAddress(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('It must be an IP address, such as 192.0.2.7 or 2001:db8::7.')
  return text
}

/** Reads a scope of another system with the scopes for it here: `theirs=ours,other`. */
export function scopePair(
  pair: string,
  before: ReadonlyMap<string, readonly string[]> = new Map(),
): ReadonlyMap<string, readonly string[]> {
  const [, theirs = '', ours = ''] = /^([^=]+)=(.*)$/.exec(pair) ?? []
  if (theirs === '') throw new InvalidArgumentError('It must be theirs=ours, such as documents.read=documents:read.')
  return new Map([...before, [theirs.trim(), words(ours)]])
}
