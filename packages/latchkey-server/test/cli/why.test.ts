// `latchkey why` says why calls fail, and what it advises leads out of the trouble.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import type { CallContext, NewKey, OpenKeyring, RefusalCode, Requirement } from 'latchkey'
import { openKeyring, refusals } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { noTerminal } from '../../../../test/machine.ts'
import { localText, timeSaid } from '../../src/cli/input/when.ts'
import type { Workplace } from './running.ts'
import { secretPattern, workplace } from './running.ts'
import { inShell } from './shell.ts'
import { inTerminal } from './terminal.ts'

type Scope = 'orders:read' | 'orders:write'

const minted = { name: "Shop's backend", owner: 'acme & sons', scopes: ['orders:read'] } as const

/** By how many milliseconds the clocks are late. */
let late = 0

/** A workplace with its database, opened beside the command line. */
async function opened(): Promise<{ readonly here: Workplace; readonly keyring: OpenKeyring<Scope> }> {
  const here = workplace()
  const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders' }
  const clock = { now: () => Date.now() - late, monotonic: () => performance.now() }
  const store = sqliteStore({ file: join(here.folder, 'data', 'latchkey.db') })
  const keyring = await openKeyring({ store, scopes, clock })
  return { here, keyring }
}

/** Makes a call as a guard does, and notes its refusal. */
async function call(
  keyring: OpenKeyring<Scope>,
  secret: string,
  {
    requirement = {},
    context = {},
  }: { readonly requirement?: Requirement<Scope>; readonly context?: CallContext } = {},
): Promise<{ readonly code: string; readonly requestId: string }> {
  const verdict = await keyring.verify(secret, requirement, context)
  if (verdict.ok) return { code: 'accepted', requestId: '' }
  const requestId = crypto.randomUUID()
  const { ip } = context
  const address = typeof ip === 'string' ? { address: ip } : {}
  keyring.noteRefusal?.(verdict, { requestId, route: 'GET /orders', requirement, ...address })
  await keyring.flushUsage()
  return { code: verdict.refusal.code, requestId }
}

/** A key in trouble, and the call that is refused. */
interface Trouble {
  readonly members?: Partial<NewKey<Scope>>
  readonly make?: (keyring: OpenKeyring<Scope>, id: string) => Promise<unknown>
  readonly requirement?: Requirement<Scope>
  readonly context?: CallContext
  /** The cause that is told. */
  readonly because?: RegExp
  /** The way out is another secret, which the advised command prints. */
  readonly another?: true
}

/** What can be mended with a command; the others are the caller's to mend. */
const troubles: Partial<Readonly<Record<RefusalCode, Trouble>>> = {
  revoked: {
    make: (keyring, id) => keyring.revoke(id, { reason: 'requested', note: 'has left', actor: 'ben' }),
    because: /ben revoked Shop's backend \(key_\w+\): requested\. "has left"/,
    another: true,
  },
  disabled: { make: (keyring, id) => keyring.disable(id, { note: 'unpaid' }), because: /disabled .* "unpaid"/ },
  owner_disabled: {
    make: (keyring) => keyring.changeOwner(minted.owner, { disabled: true }, { actor: 'ben' }),
    because: /ben disabled owner acme & sons: all its keys are refused/,
  },
  not_yet_valid: { members: { notBefore: Date.now() + 3_600_000 }, because: /issued .* valid from/ },
  expired: {
    async make(keyring, id) {
      late = 3_600_000
      await keyring.change(id, { expiresAt: Date.now() - 1 }, { note: 'trial is over' })
      late = 0
    },
    because: /expires none → .* "trial is over"/,
  },
  secret_ended: {
    async make(keyring, id) {
      // Within a second another rotation would count as the same.
      late = 60_000
      await keyring.rotate(id, { grace: 0, actor: 'ben', note: 'leaked, INC-4711' })
      late = 0
    },
    because: /ben rotated Shop's backend \(key_\w+\): old secret ended at once\. "leaked, INC-4711"/,
    another: true,
  },
  wrong_environment: { requirement: { environment: 'test' }, because: /environment live/, another: true },
  address_not_allowed: {
    members: { addresses: ['192.0.2.7'] },
    context: { ip: '203.0.113.9' },
    because: /addresses 192\.0\.2\.7/,
  },
  insufficient_scope: { requirement: { allOf: ['orders:read', 'orders:write'] }, because: /scopes orders:read/ },
  over_limit: {
    members: { limits: [{ name: 'burst', limit: 1, window: 3600 }] },
    make: (keyring, id) => spend(keyring, id),
    because: /limits burst=1\/1h/,
  },
  quota_exhausted: {
    members: { quota: { amount: 1 } },
    make: (keyring, id) => spend(keyring, id),
    because: /quota 1;/,
  },
}

const secrets = new Map<string, string>()

async function spend(keyring: OpenKeyring<Scope>, id: string): Promise<unknown> {
  return keyring.verify(secrets.get(id) ?? '')
}

describe('what is advised leads out of the trouble', () => {
  for (const [code, { members = {}, make, because, another, ...asked }] of Object.entries(troubles)) {
    test(code, async () => {
      const { here, keyring } = await opened()
      const { key, secret } = await keyring.issue({ ...minted, ...members })
      secrets.set(key.id, secret)
      await make?.(keyring, key.id)
      const refused = await call(keyring, secret, asked)
      assert.equal(refused.code, code)
      const told = await here.done(['why', `urn:uuid:${refused.requestId}`])
      assert.ok(told.includes(`[${code}]`), told)
      assert.match(told, because ?? /^/)
      const [command = ''] = commandsIn(told)
      const mended = await inShell(here, command)
      assert.equal(mended.code, 0, `${command}: ${mended.stderr}`)
      // An address and a limit are cached with the key.
      const [next = ''] = another === true ? (secretPattern.exec(mended.stdout) ?? []) : [secret]
      secretPattern.lastIndex = 0
      assert.equal((await call(keyring, next, asked)).code, 'accepted', command)
      await keyring.close()
    })
  }

  test('for a code that no change of a key mends, it says what the caller must do, and its commands exist', async () => {
    const { here, keyring } = await opened()
    await keyring.issue(minted)
    const wrong: readonly (readonly [RefusalCode, string])[] = [
      ['missing', ''],
      ['malformed', 'my key'],
      ['mistyped', `lk_live_${'a'.repeat(38)}`],
    ]
    for (const [code, credential] of wrong) {
      const refused = await call(keyring, credential)
      assert.equal(refused.code, code)
      const told = await here.done(['why', refused.requestId])
      assert.match(told, /What to do: \S/, code)
      assert.deepEqual(commandsIn(told), [])
    }
    const others: RefusalCode[] = ['two_credentials', 'unknown', 'unavailable']
    const covered = [...Object.keys(troubles), ...wrong.map(([code]) => code), ...others]
    assert.deepEqual(covered.toSorted(), Object.keys(refusals).toSorted(), 'every code')
    for (const code of others) {
      const refused = { ok: false, refusal: refusals[code] } as never
      const requestId = crypto.randomUUID()
      keyring.noteRefusal?.(refused, { requestId, route: 'GET /orders', requirement: {} })
      await keyring.flushUsage()
      for (const command of commandsIn(await here.done(['why', requestId])))
        assert.equal((await inShell(here, command)).code, 0, command)
    }
    await keyring.close()
  })
})

describe('what is told of an owner and a key', () => {
  test('a key that was rotated is told with its refusals, its cause, the changes and the usage; and nothing of others', async () => {
    const { here, keyring } = await opened()
    const { key, secret } = await keyring.issue(minted)
    const other = await keyring.issue({ ...minted, owner: 'globex', name: 'Other' })
    await keyring.verify(secret)
    await keyring.rotate(key.id, { grace: 0, actor: 'ben', note: 'leaked' })
    await keyring.disable(other.key.id)
    await call(keyring, other.secret)
    const { requestId } = await call(keyring, secret)
    await call(keyring, secret)
    for (const values of [['--owner', minted.owner], ['--key', key.id], [requestId]]) {
      const told = await here.done(['why', ...values])
      assert.match(told, /^(?:Keys of acme & sons|Key key_\w+|Request \S+), from .+ [+-]\d\d:\d\d to .+\.\n/)
      assert.match(
        told,
        /^ {2}2 calls with Shop's backend \(key_\w+\) at GET \/orders, .* old secret is over\. \[secret_ended\]$/m,
      )
      assert.match(told, /^ {4}Because: .*, ben rotated .* "leaked" \(entry 3\)$/m)
      assert.match(told, /^Changed\n {2}.* ben rotated .*\n {2}.* issued /m)
      assert.match(told, /^Used\n {2}.*: 1 accepted, 2 secret_ended$/m)
      assert.doesNotMatch(told, /globex|Other|lk_live_\w{38}/)
    }
    const shown = await here.done(['keys', 'show', key.id])
    assert.match(shown, /^ended secret +lk_live_\w{4}…, ended 2.*, last used 2/m)
    assert.match(shown, /^last change +2\S+, ben rotated .* "leaked"$/m)
    const [document = ''] = (await here.done(['why', '--key', key.id, '--json'])).split('\n')
    const { from, refusals: refused, causes, complete } = JSON.parse(document)
    assert.match(from, /^\d{4}-\d\d-\d\dT.*Z$/)
    assert.deepEqual([refused.length > 0, causes[0].entry.change.note, complete], [true, 'leaked', true])
    await keyring.close()
  })

  test('without a refusal it says so, and what that means', async () => {
    const { here, keyring } = await opened()
    const { key, secret } = await keyring.issue(minted)
    const nothing = await here.done(['why', '--key', key.id])
    assert.match(nothing, /^Nothing was refused, and nothing was accepted: no call with such a key has arrived/m)
    const [command = ''] = commandsIn(nothing)
    assert.equal((await inShell(here, command)).code, 0)
    await keyring.verify(secret)
    await keyring.flushUsage()
    assert.match(
      await here.done(['why', '--key', key.id]),
      /1 call was accepted: what fails is behind the check of keys/,
    )
    const before = await here.done(['why', '--owner', minted.owner, '--at', '2020-01-01T10:00:00Z', '--minutes', '5'])
    assert.match(before, /^Nothing was changed\.$/m)
    assert.match(await here.done(['why']), /^All keys, from .*\n/)
    assert.equal((await here.run(['why', '--owner', 'nobody'])).code, 3)
    assert.equal((await here.run(['why', 'no-such-request'])).code, 3)
    for (const wrong of [
      ['--owner', 'a', 'b'],
      ['--owner', 'a', '--at', '25:00'],
      ['--owner', 'a', '--minutes', '0'],
    ])
      assert.equal((await here.run(['why', ...wrong])).code, 2, wrong.join(' '))
    await keyring.close()
  })

  test('it fits a terminal of 80 columns', { skip: noTerminal() }, async () => {
    const { here, keyring } = await opened()
    const { key, secret } = await keyring.issue(minted)
    await keyring.rotate(key.id, { grace: 0, note: 'leaked in a ticket, which everybody in the company could read' })
    const { requestId } = await call(keyring, secret)
    const { screen, code } = await inTerminal(here, ['why', requestId], { columns: 80 })
    assert.equal(code, 0, screen)
    const lines = stripVTControlCharacters(screen).split(/\r?\n/)
    for (const line of lines) if (!/^\s+latchkey /.test(line)) assert.ok(line.length <= 80, line)
    await keyring.close()
  })
})

test('a time is read as it is said: on the clock here, on a day, in a zone, or as a span', () => {
  const now = new Date()
  const today = new Date(now.getFullYear(), now.getMonth(), now.getDate(), 0, 0)
  assert.equal(timeSaid('00:00'), today.getTime())
  assert.equal(timeSaid('2026-03-04 05:06'), new Date(2026, 2, 4, 5, 6).getTime())
  assert.equal(timeSaid('2026-03-04T05:06:07'), new Date(2026, 2, 4, 5, 6, 7).getTime())
  assert.equal(timeSaid('2026-03-04T05:06:07Z'), Date.UTC(2026, 2, 4, 5, 6, 7))
  assert.ok(Math.abs(timeSaid('30m') - (Date.now() - 1_800_000)) < 5000)
  for (const text of ['10:04Z', '10:04+02:00', '23:59', '00:01']) {
    const said = timeSaid(text)
    assert.ok(said <= Date.now() && said > Date.now() - 90_000_000, text)
  }
  assert.equal(new Date(timeSaid('10:04+02:00')).toISOString().slice(11, 16), '08:04')
  for (const text of ['25:00', '10:60', '2026-02-30 10:00', '2026-13-01 10:00', '0050-01-01 10:00', 'noon', '10', ''])
    assert.throws(() => timeSaid(text), { code: 'commander.invalidArgument' }, text)
  const [, offset = ''] = / ([+-]\d\d:\d\d)$/.exec(localText(0)) ?? []
  assert.equal(Date.parse(localText(0).slice(0, 19).replace(' ', 'T') + offset), 0)
})

/** The commands in what was printed. */
function commandsIn(told: string): readonly string[] {
  return told.split('\n').flatMap((line) => (/^ {2,}(latchkey .*)$/.exec(line) ?? []).slice(1))
}
