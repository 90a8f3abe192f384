import { InvalidArgumentError } from 'commander'
import type { Loose, LooseLine } from './lines.ts'
import { wrong } from './lines.ts'
import { betterAuthKey } from './systems/better-auth.ts'
import type { Taken } from './systems/row.ts'
import { sanctumKey } from './systems/sanctum.ts'
import { unkeyKey } from './systems/unkey.ts'

/** How a row of each system becomes the fields of a key. */
const table = { unkey: unkeyKey, 'better-auth': betterAuthKey, sanctum: sanctumKey } as const satisfies Readonly<
  Record<string, (row: Loose, now: number) => Taken>
>

/** A system whose rows can be imported. */
export type System = keyof typeof table

/** The names of these systems. */
export const systems = Object.keys(table) as readonly System[]

/**
 * The fields of a key, from a row of another system, with what could not be taken over; or why the row is left out.
 *
 * @throws Failure `usage` for a row that is not one of that system.
 */
export function takenOver(system: System, { line, value }: LooseLine): Taken {
  try {
    return table[system](value, Date.now())
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw wrong(line, error.message)
    throw error
  }
}
