import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { logSerializers } from 'latchkey/guard/fastify'
import type { TestKeyring } from 'latchkey/testing'
import { testKeyring } from 'latchkey/testing'
import { buildApp } from '../src/app.ts'
import type { Scope } from '../src/keys.ts'
import { scopes } from '../src/keys.ts'
import { entriesOf } from '../../../test/entries.ts'

/** What a scenario has at hand. */
export interface Stage extends TestKeyring<Scope> {
  /** Sends `{"status":"SUCCESS"}` to `POST /process`, except for what is given. */
  readonly call: (request?: InjectOptions) => Promise<LightMyRequestResponse>
  /** The statuses that the work was done for, in order. */
  readonly worked: readonly string[]
}

/**
 * One scenario over HTTP. Whatever it asserts itself, it also fails if the secret of a key or its hash got into an
 * answer, a line of the log or the journal.
 */
export function scenario(name: string, run: (stage: Stage) => Promise<void>): void {
  test(name, async () => {
    const keys = await testKeyring({ scopes })
    const worked: string[] = []
    const told: unknown[] = []
    const app = await buildApp({
      keyring: keys.keyring,
      work: async ({ status }) => {
        worked.push(status)
        return status === 'SUCCESS'
      },
      logger: {
        level: 'trace',
        serializers: logSerializers,
        stream: { write: (line: string) => void told.push(line) },
      },
    })
    const call: Stage['call'] = async (request = {}) => {
      const answer = await app.inject({ method: 'POST', url: '/process', payload: { status: 'SUCCESS' }, ...request })
      told.push(answer.headers, answer.body)
      return answer
    }
    try {
      await run({ ...keys, call, worked })
    } finally {
      await app.close()
    }
    told.push(await entriesOf(keys.keyring))
    assert.deepEqual(keys.secretsIn(JSON.stringify(told)), [], 'a secret or its hash was told')
  })
}
