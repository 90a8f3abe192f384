import { membersOf, objectOf, timestamp } from '../../input.ts'
import { adminEnvironment } from '../../policy/admin.ts'
import type { CountedKeys, KeyState } from '../../ports.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import { askedKeys } from './asked-keys.ts'
import { keyStates } from './list.ts'

/** The filter of keys to count. */
export interface CountsOptions {
  /** Only keys of this owner. */
  readonly owner?: string
  /** Only keys of this environment. */
  readonly environment?: string
  /** Also count the active and pending keys that end before this time, in milliseconds since 1970. */
  readonly expiresBefore?: number
}

const countsOptions = membersOf<CountsOptions>({ owner: true, environment: true, expiresBefore: true })

/** How many keys there are in each state. */
export type StateCounts = Readonly<Record<KeyState, number>>

/** How many keys there are. */
export interface KeyCounts {
  /** How many there are altogether. */
  readonly keys: number
  readonly states: StateCounts
  /** How many of the active and pending ones end before `expiresBefore`; `null` if that was left out. */
  readonly expiring: number | null
}

/** How many keys there are in one environment. */
export interface EnvironmentCounts extends KeyCounts {
  readonly environment: string
}

/** How many keys there are in all environments together, and in each. */
export interface Counts extends KeyCounts {
  /** The time as of which the states are counted, in milliseconds since 1970. */
  readonly asOf: number
  /** Each environment that is seen, also one without keys. */
  readonly environments: readonly EnvironmentCounts[]
}

/**
 * The function behind `Keyring.counts`.
 *
 * @throws LatchkeyError `invalid_input`, `beyond_delegation`.
 */
export async function readCounts<Scope extends string>(
  parts: KeyringParts<Scope>,
  options: CountsOptions,
): Promise<Counts> {
  const { store, clock } = parts
  objectOf('The options of counts', options, countsOptions)
  const expiresBefore = timestamp('expiresBefore', options.expiresBefore) ?? undefined
  const { owner, environments, isNone } = await askedKeys(parts, options)
  const now = clock.now()
  const counted = isNone ? [] : await store.counts({ owner, environments, now, expiresBefore: expiresBefore ?? 0 })

  const names = new Set([
    ...(environments ?? [...parts.environments, adminEnvironment]),
    ...counted.map((one) => one.environment),
  ])
  const each = [...names].map((name) => {
    const found = counted.find((one) => one.environment === name)
    return { environment: name, ...countsOf(found === undefined ? [] : [found], expiresBefore !== undefined) }
  })
  return { asOf: now, ...countsOf(counted, expiresBefore !== undefined), environments: each }
}

/** The sum of some counts. */
function countsOf(some: readonly CountedKeys[], isExpiringAsked: boolean): KeyCounts {
  const states = statesOf(some)
  const expiring = isExpiringAsked ? sumOf(some.map((one) => one.expiring)) : null
  return { keys: sumOf(Object.values(states)), states, expiring }
}

/** The sums of some counts by state. */
export function statesOf(some: readonly Pick<CountedKeys, 'states'>[]): StateCounts {
  const sums = keyStates.map((state) => [state, sumOf(some.map(({ states }) => states[state]))])
  return Object.fromEntries(sums) as StateCounts
}

export function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0)
}
