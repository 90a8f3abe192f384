/** What the route of a refused call asked for. */
export interface RefusedRequirement {
  /** The scopes that a key must all have. */
  readonly scopes: readonly string[]
  /** The scopes of which a key must have one; empty if there are none. */
  readonly anyOf: readonly string[]
  /** The environments whose keys are taken; empty for whichever. */
  readonly environments: readonly string[]
  /** The cost of the call. */
  readonly cost: number
}

/** The limit or the quota that refused a call; of several limits, the one for which the caller must wait longest. */
export interface RefusedLimit {
  /** The name of the limit. A limit of the owner is `owner:` and its name; the quota is `quota`. */
  readonly name: string
  /** The whole of it. */
  readonly limit: number
  /** Seconds; `null` for the quota. */
  readonly window: number | null
}

/** Equal refusals of one second. */
export interface RefusalDraft {
  /** The ids of the first requests, at least one. It can be found by each of them. */
  readonly requestIds: readonly [string, ...string[]]
  /** When the first was refused, in milliseconds since 1970. */
  readonly at: number
  /** The name of the process that refused. */
  readonly instance: string
  /** The address of the caller. */
  readonly address: string | null
  /** The route as it was declared. */
  readonly route: string | null
  readonly requirement: RefusedRequirement | null
  /** The code of the refusal. */
  readonly code: string
  /** The id of the key; empty where the credential belonged to none. */
  readonly key: string
  /** The owner of the key at that time; empty if the credential belonged to none. */
  readonly owner: string
  /** The environment of the key; empty if the credential belonged to none. */
  readonly environment: string
  /** The scopes that the key lacked, if that was the reason. */
  readonly missing: readonly string[] | null
  /** The limit or the quota, if that was the reason. */
  readonly limit: RefusedLimit | null
  /** Calls. */
  readonly count: number
}

/** Equal refusals of one second, as they are kept. */
export interface StoredRefusal extends Omit<RefusalDraft, 'requestIds'> {
  /** Different for all that are kept. */
  readonly place: number
  /** The id of the first request. */
  readonly requestId: string
}

/** How many refusals are kept. The newest stay. */
export interface RefusalBounds {
  /** Of all known keys together. */
  readonly known: number
  /** Of each known key. */
  readonly perKey: number
  /** Of credentials that belong to no key. They never take the place of the others. */
  readonly strangers: number
}

/** The filter of refusals to read. A member that is `undefined` does not filter. */
export interface RefusalFilter {
  /** The id of any request that it can be found by. */
  readonly requestId?: string | undefined
  readonly key?: string | undefined
  readonly owner?: string | undefined
  /** Keys of any of these; none without a key. */
  readonly environments?: readonly string[] | undefined
  readonly code?: string | undefined
  readonly route?: string | undefined
  /** Only from this time on, in milliseconds since 1970. */
  readonly from?: number | undefined
  /** Only before this time, in milliseconds since 1970. */
  readonly to?: number | undefined
  /** By their time, and then their place. */
  readonly order: 'newest' | 'oldest'
  /** Only those that come after this one in that order. */
  readonly after?: Pick<StoredRefusal, 'at' | 'place'> | undefined
  /** How many at most. */
  readonly limit: number
}
