import type { Keyring, OpenKeyring, Store } from 'latchkey'
import { adminScopes } from 'latchkey'
import { largest } from './large.ts'
import type { Call, Question, Role } from './reading-calls.ts'
import { roles } from './reading-calls.ts'

/** A call with the rights of an admin key. */
export interface Try {
  readonly call: Call
  readonly role: Role
  readonly ask: () => Promise<unknown>
}

/** How many pages come before a deep one. */
const depth = 10

/** Issues the admin keys, and finds where deep pages begin. */
export async function triesOf(
  calls: readonly Call[],
  keyring: OpenKeyring,
  requestId: string,
): Promise<readonly Try[]> {
  const acting = await actingKeyrings(keyring)
  const { keys } = await acting.owner.list({ environment: 'live', order: 'newest' })
  const question = { page: {}, key: keys[0]?.id ?? '', owner: largest, requestId }
  const tries: Try[] = []
  for (const call of calls) {
    for (const role of call.roles ?? roles) {
      const page = call.deep === true ? await deepPage(call, acting[role], question) : {}
      const ask = async (): Promise<unknown> => {
        const key = keys[Math.floor(Math.random() * keys.length)]?.id ?? ''
        return call.ask(acting[role], { ...question, page, key })
      }
      tries.push({ call, role, ask })
    }
  }
  return tries
}

async function deepPage({ ask }: Call, keyring: Keyring, question: Question): Promise<Question['page']> {
  let page: Question['page'] = {}
  for (let number = 0; number < depth; number++) {
    const { cursor } = (await ask(keyring, { ...question, page: { ...page, limit: 1000 } })) as {
      cursor: string | null
    }
    if (cursor === null) break
    page = { cursor }
  }
  return page
}

/** An admin key of everything, one that is bound to an owner, and one that is bound to an environment. */
async function actingKeyrings(keyring: OpenKeyring): Promise<Readonly<Record<Role, Keyring>>> {
  const everywhere = [...keyring.environments, 'admin']
  const issued = async (owner: string | null, environments: readonly string[]): Promise<Keyring> => {
    const { key } = await keyring.issue({
      name: 'Bench',
      owner: owner ?? 'bench',
      environment: 'admin',
      scopes: Object.keys(adminScopes),
      delegation: { owner, environments, scopes: ['*'] },
    })
    return keyring.as(key.id)
  }
  return {
    all: await issued(null, everywhere),
    owner: await issued(largest, everywhere),
    environment: await issued(null, ['live']),
  }
}

/** Fills the table of refusals to its bounds, and answers the id of a request. */
export async function recordRefusals(keyring: OpenKeyring, store: Store): Promise<string> {
  const bounds = { known: 100_000, perKey: 1000, strangers: 10_000 }
  const known = (await keyring.list({ owner: largest, environment: 'live', order: 'newest' })).keys
  const now = Date.now()
  const call = { instance: 'bench', address: '192.0.2.7', route: 'POST /orders', requirement: null, count: 1 }
  for (const { id, owner, environment } of [...known, { id: '', owner: '', environment: '' }]) {
    const number = id === '' ? bounds.strangers : bounds.perKey
    const refused = Array.from({ length: number }, (_, index) => ({
      ...call,
      requestIds: [`${id} ${index}`] as const,
      at: now - index * 5000,
      code: index % 2 === 0 ? 'expired' : 'over_limit',
      key: id,
      owner,
      environment,
      missing: null,
      limit: null,
    }))
    // What took too long for one transaction is answered.
    for (let left: typeof refused = refused; left.length > 0;) {
      left = refused.slice(refused.length - (await store.recordRefusals(left, bounds)).length)
    }
  }
  return `${known[0]?.id ?? ''} 7`
}
