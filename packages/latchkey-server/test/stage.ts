import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Delegation, IssueOptions, KeyDetails } from 'latchkey'
import { adminScopes, hashSecret } from 'latchkey'
import type { TestClock } from 'latchkey/testing'
import { testClock } from 'latchkey/testing'
import type { Composed } from '../src/compose.ts'
import { compose } from '../src/compose.ts'
import type { Settings } from '../src/config.ts'
import { readSettings } from '../src/config.ts'
import { serverLogger } from '../src/log.ts'
import { entriesOf } from '../../../test/entries.ts'

/** What keys may do in these tests. */
export const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders', 'reports:read': 'Read reports' }

/** What an admin key may give that may give everything. */
export const everything: Delegation = {
  owner: null,
  environments: ['live', 'test', 'admin'],
  scopes: ['orders:*', 'reports:*'],
}

/** A key and its secret, as tests pass them on. */
export interface Holder {
  readonly key: KeyDetails
  readonly secret: string
}

/** A request; the body is JSON. */
export interface StageRequest {
  readonly as?: Holder | string | undefined
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** What a scenario has at hand. */
export interface Stage extends Composed {
  readonly clock: TestClock
  /** Issues a key, an ordinary one unless told otherwise. */
  readonly issue: (options?: Partial<IssueOptions<string>>) => Promise<Holder>
  /** Issues an admin key, one that may do everything unless told otherwise. */
  readonly admin: (options?: Partial<IssueOptions<string>>) => Promise<Holder>
  /** Sends `GET /v1/keys` and the like. */
  readonly send: (line: string, request?: StageRequest) => Promise<LightMyRequestResponse>
  /** How many changes the journal tells of. */
  readonly changes: () => Promise<number>
  /** All that was logged. */
  readonly log: () => string
  /** Notes a secret that must not be told again. */
  readonly watch: (secret: string) => void
}

/** The settings of a server in memory. */
export function memorySettings(settings: Partial<Settings> = {}): Settings {
  return {
    ...readSettings({ environment: { LATCHKEY_STORE: 'sqlite::memory:', LOG_LEVEL: 'trace' } }),
    scopes,
    ...settings,
  }
}

/** A server in memory. Whoever opens it closes it with `finish`, which fails when a secret or its hash was told. */
export async function openStage(settings: Partial<Settings> = {}): Promise<Stage & { finish: () => Promise<void> }> {
  const clock = testClock()
  const told: string[] = []
  let log = ''
  const secrets = new Set<string>()
  const whole = memorySettings(settings)
  const composed = await compose(whole, { clock, logger: serverLogger(whole, { write: (line) => (log += line) }) })
  const { app, keyring } = composed

  const issue: Stage['issue'] = async (options = {}) => {
    const made = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:read'], ...options })
    secrets.add(made.secret)
    return made
  }
  const send: Stage['send'] = async (line, { as, body, headers = {} } = {}) => {
    const [method = '', url = ''] = line.split(' ')
    const key = typeof as === 'object' ? as.secret : as
    const all = {
      ...(key === undefined ? {} : { 'x-api-key': key }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    }
    const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await app.inject({
      method,
      url,
      headers: all,
      ...(payload === undefined ? {} : { payload }),
    } as InjectOptions)
    let text = answer.body
    // The answer that shows a secret shows it once.
    for (const secret of shown(answer)) {
      text = text.replace(`"secret":"${secret}"`, '')
      secrets.add(secret)
    }
    told.push(text, JSON.stringify(answer.headers))
    return answer
  }
  return {
    ...composed,
    clock,
    issue,
    send,
    admin: (options = {}) =>
      issue({
        name: 'Admin',
        owner: 'operator',
        environment: 'admin',
        scopes: Object.keys(adminScopes),
        delegation: everything,
        ...options,
      }),
    changes: async () => (await entriesOf(keyring)).length,
    log: () => log,
    watch: (secret) => void secrets.add(secret),
    async finish() {
      const journal = JSON.stringify(await entriesOf(keyring))
      await composed.close()
      const everywhere = [...told, log, journal].join('\n')
      const leaked = [...secrets].filter((one) => everywhere.includes(one) || everywhere.includes(hashSecret(one)))
      assert.equal(leaked.length, 0, 'a secret or its hash was told')
    },
  }
}

function shown({ body }: LightMyRequestResponse): readonly string[] {
  return [...body.matchAll(/"secret":"([^"]+)"/g)].map(([, secret = '']) => secret)
}

/** One scenario over HTTP. Whatever it asserts itself, it also fails if a secret or its hash was told. */
export function scenario(name: string, run: (stage: Stage) => Promise<void>, settings: Partial<Settings> = {}): void {
  test(name, async () => {
    const stage = await openStage(settings)
    try {
      await run(stage)
    } finally {
      await stage.finish()
    }
  })
}
