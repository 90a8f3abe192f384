import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { mint } from '../../src/key/mint.ts'
import type { Keyring } from '../../src/keyring/keyring.ts'
import { openKeyring } from '../../src/keyring/keyring.ts'
import type { RefusalCode } from '../../src/refusal.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { TestClock } from '../../src/testing.ts'
import { testClock } from '../../src/testing.ts'

const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders', 'reports:read': 'Read reports' }
type Scope = keyof typeof scopes
const scopeNames = Object.keys(scopes) as Scope[]

/** What the model knows of a key: plain facts, no cache, no store, no hash. */
interface ModelKey {
  readonly id: string
  readonly secret: string
  readonly owner: string
  readonly environment: string
  readonly scopes: readonly string[]
  readonly notBefore: number | null
  readonly expiresAt: number | null
  revoked: boolean
}

interface Model {
  readonly keys: ModelKey[]
  changes: number
}

/** The thing itself: two keyrings on one file, as two processes would have it; either may be closed and opened again. */
interface Real {
  readonly file: string
  readonly clock: TestClock
  readonly keyrings: Keyring<Scope>[]
}

type Demanded = { readonly environment: string; readonly allOf: readonly Scope[]; readonly anyOf: readonly Scope[] }

function expected(key: ModelKey, now: number, demand: Demanded): RefusalCode | 'accepted' {
  const may = (scope: string): boolean =>
    key.scopes.some((granted) => granted === scope || granted === `${scope.split(':')[0]}:*`)
  if (key.revoked) return 'revoked'
  if (key.expiresAt !== null && now >= key.expiresAt) return 'expired'
  if (key.notBefore !== null && now < key.notBefore) return 'not_yet_valid'
  if (key.environment !== demand.environment) return 'wrong_environment'
  const enough = demand.allOf.every(may) && (demand.anyOf.length === 0 || demand.anyOf.some(may))
  return enough ? 'accepted' : 'insufficient_scope'
}

type Command = fc.AsyncCommand<Model, Real>

const which = fc.nat({ max: 1 })
const grants = fc.subarray([...scopeNames, 'orders:*', 'reports:*'] as const)
const environment = fc.constantFrom('live', 'test')
const soon = fc.option(fc.integer({ min: 1, max: 50 }))
const demanded: fc.Arbitrary<Demanded> = fc.record({
  environment,
  allOf: fc.subarray(scopeNames),
  anyOf: fc.subarray(scopeNames),
})

const issue = fc
  .record({ which, owner: fc.constantFrom('acme', 'umbrella'), grants, environment, begins: soon, lasts: soon })
  .map((given): Command => ({
    toString: () => `issue ${JSON.stringify(given)}`,
    check: () => true,
    async run(model, { keyrings, clock }) {
      const notBefore = given.begins === null ? null : clock.now() + given.begins
      const expiresAt = given.lasts === null ? null : (notBefore ?? clock.now()) + given.lasts
      const options = {
        name: 'Key',
        owner: given.owner,
        scopes: given.grants,
        environment: given.environment,
        notBefore,
        expiresAt,
      }
      const issued = await keyrings[given.which]?.issue(options)
      assert.ok(issued)
      model.keys.push({ ...options, id: issued.key.id, secret: issued.secret, revoked: false })
      model.changes++
    },
  }))

const revoke = fc.record({ which, index: fc.nat() }).map((given): Command => ({
  toString: () => `revoke ${JSON.stringify(given)}`,
  check: ({ keys }) => keys.length > 0,
  async run(model, { keyrings }) {
    const key = model.keys[given.index % model.keys.length]
    assert.ok(key)
    await keyrings[given.which]?.revoke(key.id, { reason: 'unused' })
    if (!key.revoked) model.changes++
    key.revoked = true
  },
}))

const verify = fc.record({ which, index: fc.nat(), demanded }).map((given): Command => ({
  toString: () => `verify ${JSON.stringify(given)}`,
  check: ({ keys }) => keys.length > 0,
  async run({ keys }, { keyrings, clock }) {
    const key = keys[given.index % keys.length]
    assert.ok(key)
    const verdict = await keyrings[given.which]?.verify(key.secret, given.demanded)
    const code = verdict?.ok === true ? 'accepted' : verdict?.refusal.code
    assert.equal(code, expected(key, clock.now(), given.demanded))
    if (verdict?.ok === true) assert.equal(verdict.key.id, key.id)
  },
}))

const verifyUnknown = which.map((index): Command => ({
  toString: () => `verify an unknown key on ${index}`,
  check: () => true,
  async run(_model, { keyrings }) {
    const verdict = await keyrings[index]?.verify(mint({ prefix: 'lk', environment: 'live' }))
    assert.ok(verdict?.ok === false && verdict.refusal.code === 'unknown')
  },
}))

const pass = fc.integer({ min: 1, max: 40 }).map((milliseconds): Command => ({
  toString: () => `${milliseconds} ms pass`,
  check: () => true,
  async run(_model, { clock }) {
    clock.advance(milliseconds)
  },
}))

const reopen = which.map((index): Command => ({
  toString: () => `reopen ${index}`,
  check: () => true,
  async run(_model, { keyrings, file, clock }) {
    await keyrings[index]?.close()
    keyrings[index] = await openKeyring({ store: sqliteStore({ file }), scopes, clock })
  },
}))

const list = fc.record({ which, owner: fc.constantFrom('acme', 'umbrella', undefined) }).map((given): Command => ({
  toString: () => `list ${JSON.stringify(given)}`,
  check: () => true,
  async run({ keys }, { keyrings }) {
    const page = await keyrings[given.which]?.list(given.owner === undefined ? {} : { owner: given.owner })
    const wanted = keys.filter(({ owner }) => given.owner === undefined || owner === given.owner)
    assert.deepEqual(
      page?.keys.map(({ id, state }) => [id, state === 'revoked']),
      wanted.map(({ id, revoked }) => [id, revoked]),
    )
  },
}))

const journal = which.map((index): Command => ({
  toString: () => `check the journal on ${index}`,
  check: () => true,
  async run({ changes }, { keyrings }) {
    const report = await keyrings[index]?.verifyJournal()
    assert.deepEqual([report?.whole, report?.entries], [true, changes])
  },
}))

const folder = mkdtempSync(join(tmpdir(), 'latchkey-model-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0

test('any sequence of issue, verify, revoke, time passing and reopening is what a plain model says', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.commands([issue, issue, revoke, verify, verify, verify, verifyUnknown, pass, reopen, list, journal], {
        maxCommands: 60,
      }),
      async (commands) => {
        const file = join(folder, `${files++}.db`)
        const clock = testClock(1_000_000)
        const open = (): Promise<Keyring<Scope>> =>
          openKeyring({ store: sqliteStore({ file }), scopes, clock, cacheSize: 4 })
        const real: Real = { file, clock, keyrings: [await open(), await open()] }
        await fc.asyncModelRun(() => ({ model: { keys: [], changes: 0 }, real }), commands)
        for (const keyring of real.keyrings) await keyring.close()
      },
    ),
    { numRuns: 60 },
  )
})
