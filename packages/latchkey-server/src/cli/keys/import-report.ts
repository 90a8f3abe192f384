import type { RefusedLine } from '../input/imports.ts'
import { Failure } from '../exit.ts'
import { say } from '../terminal/print.ts'
import { counted, grouped } from '../terminal/progress.ts'

/** The most lines that are named. */
const mostNamed = 20

/** Names some lines: "Lines 3, 7 and 31 more". */
export function linesNamed(numbers: readonly number[], further = 0): string {
  const named = numbers.slice(0, mostNamed)
  const more = numbers.length - named.length + further
  return `Line${numbers.length + further === 1 ? '' : 's'} ${named.join(', ')}${more === 0 ? '' : ` and ${grouped(more)} more`}`
}

/** Lines by what is to be said of them. */
export type LinesByReason = Map<string, number[]>

/** Notes a line under its reason. */
export function noteLine(lines: LinesByReason, reason: string, line: number): void {
  const known = lines.get(reason)
  if (known === undefined) lines.set(reason, [line])
  else known.push(line)
}

/** Says one sentence for each reason, with the lines that it is about. */
export function sayReasons(lines: LinesByReason, verb: string): void {
  for (const [reason, numbers] of lines) say(`${linesNamed(numbers)}: ${verb} ${reason}.`)
}

/** Names each weak line, so that all can be corrected at once. */
export function tooWeak(weak: readonly RefusedLine[]): Failure {
  const named = weak.slice(0, mostNamed).map(({ line, weakness }) => `Line ${line}: its key ${weakness}.`)
  const more = weak.length - named.length
  const rest = more === 0 ? [] : [`And ${counted(more, 'more line')}.`]
  return new Failure(
    'usage',
    [...named, ...rest, 'Remove these lines, and issue new keys to their callers.'].join('\n'),
  )
}

/** Names each scope of the other system that has no counterpart here, so that all can be mapped at once. */
export function unmapped(scopes: ReadonlySet<string>): Failure {
  const named = [...scopes].slice(0, mostNamed).map((scope) => `  --map-scope ${JSON.stringify(`${scope}=…`)}`)
  const more = scopes.size - named.length
  const rest = more === 0 ? [] : [`And ${counted(more, 'more scope')}.`]
  return new Failure(
    'usage',
    [
      'These scopes are not declared here. Say which of the declared ones stand for each, or none:',
      ...named,
      ...rest,
    ].join('\n'),
  )
}

/** How many keys were imported. */
export function summary({ added, known }: { readonly added: number; readonly known: number }): string {
  return `${counted(added, 'key')} imported${known === 0 ? '' : `, ${grouped(known)} already there`}.`
}
