// The life of a key as a user has it, once on the database and once on a server. A command comes to the same in a process
// of its own: see hosted.test.ts.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { IssueOptions, Keyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { connectKeyring } from 'latchkey/client'
import { sqliteStore } from 'latchkey/store/sqlite'
import { beforeRemoval } from '../../../../test/temporary-folder.ts'
import type { RunOptions, Workplace } from './running.ts'
import { jsonLines, secretPattern, serve, workplace } from './running.ts'

const here = workplace()
const there = workplace()
const served = await serve(there)

const database = await openKeyring({
  store: sqliteStore({ file: join(here.folder, 'data', 'latchkey.db') }),
  scopes: { 'orders:read': 'Read orders', 'orders:write': 'Change orders' },
})
beforeRemoval(here.folder, database.close)
const server = await connectKeyring({ url: served.url, key: served.environment.LATCHKEY_ADMIN_KEY })

/** What is arranged and looked at beside the commands is done by `keyring`, on the same keys and in this process. */
const targets: readonly (readonly [name: string, at: Workplace, keyring: Keyring, target: RunOptions])[] = [
  ['on the database', here, database, {}],
  ['on a server', there, server, { env: served.environment }],
]

let owners = 0

for (const [name, { run: runIn, done: doneIn }, keyring, target] of targets) {
  const aimed = (options: RunOptions = {}): RunOptions => ({ ...options, env: { ...target.env, ...options.env } })
  const run = async (line: string, options?: RunOptions) => runIn(line.split(' '), aimed(options))
  const done = async (line: string, options?: RunOptions) => doneIn(line.split(' '), aimed(options))
  const json = async (line: string, options?: RunOptions) => jsonLines(await done(`${line} --json`, options))

  /** A key of its own: its id, its owner and its secret. */
  async function issued(more: Partial<IssueOptions<string>> = {}) {
    const { key, secret } = await keyring.issue({
      name: 'Key',
      owner: `owner-${++owners}`,
      scopes: ['orders:read'],
      ...more,
    })
    return { ...key, secret }
  }

  const verdict = async (secret: string): Promise<string> => {
    const judged = await keyring.verify(secret)
    return judged.ok ? 'accepted' : judged.refusal.code
  }

  describe(name, { concurrency: 3 }, () => {
    test('issue prints the secret alone on stdout, and the rest on stderr', async () => {
      const { code, stdout, stderr } = await run('keys issue --name CI --owner acme --scope orders:read,orders:write', {
        alone: true,
      })
      assert.equal(code, 0)
      assert.match(stdout, /^lk_live_[0-9A-Za-z]{38}\n$/)
      assert.match(stderr, /^Issued key_\w+ for acme \(live\): orders:read, orders:write\n/)
      assert.doesNotMatch(stderr, secretPattern)
    })

    test('every member can be given, shown, changed and cleared', async () => {
      const [made = {}] = await json(
        'keys issue --name Key --owner acme --scope orders:read --environment test --expires 30d --not-before 2026-01-01' +
          ' --address 192.0.2.0/24,2001:db8::/32 --limit burst=100/1m:refuse-when-unavailable --limit trial=5/1d:report-only --quota 1000/month' +
          ' --metadata plan=pro',
      )
      const { id } = made['key'] as { id: string }
      const [key = {}] = await json(`keys show ${id}`)
      assert.deepEqual(
        [key['environment'], key['notBefore'], key['addresses'], key['limits'], key['quota'], key['metadata']],
        [
          'test',
          '2026-01-01T00:00:00.000Z',
          ['192.0.2.0/24', '2001:db8::/32'],
          [
            { name: 'burst', limit: 100, window: 60, whenUnavailable: 'refuse' },
            { name: 'trial', limit: 5, window: 86_400, reportOnly: true },
          ],
          { amount: 1000, refill: 'month' },
          { plan: 'pro' },
        ],
      )
      const ahead = Date.parse(String(key['expiresAt'])) - Date.now()
      assert.ok(Math.abs(ahead - 30 * 86_400_000) < 60_000, String(ahead))
      const facts = await done(`keys show ${id}`)
      assert.match(facts, /^limits +burst=100\/1m:refuse-when-unavailable, trial=5\/1d:report-only$/m)
      assert.match(facts, /^quota +1000\/month, 1000 left$/m)

      await done(
        `keys change ${id} --name Renamed --clear expires --clear address --quota 1000/month --quota-left 7` +
          ` --if-revision ${String(key['revision'])}`,
      )
      assert.match(await done(`keys show ${id}`), /^quota +1000\/month, 7 left$/m)
      assert.equal((await run(`keys change ${id} --quota-left 7`)).code, 2)
      await done(`keys change ${id} --quota-add 2000`)
      await done(`keys change ${id} --quota-take 6`)
      assert.match(await done(`keys show ${id}`), /^quota +1000\/month, 2001 left$/m)
      for (const two of ['--quota-add 1 --quota-take 1', '--quota 5 --quota-add 1', '--clear quota --quota-take 1'])
        assert.match((await run(`keys change ${id} ${two}`)).stderr, /^One change of the quota at a time/)
      assert.match((await run(`keys change ${id} --quota-add 0`)).stderr, /^--quota-add must be/)
      await done(`keys change ${id} --clear quota`)
      await done(`keys change ${id} --metadata seats:={"at":5,"list":[1]} --metadata note:=null --metadata on:=true`)
      assert.match(await done(`keys show ${id}`), /^metadata +plan=pro, seats:=\{"at":5,"list":\[1\]\}, on:=true$/m)
      const [typed = {}] = await json(`keys show ${id}`)
      assert.deepEqual(typed['metadata'], { plan: 'pro', seats: { at: 5, list: [1] }, on: true })
      await done(`keys change ${id} --metadata seats:=null --metadata on:=null`)
      assert.match((await run(`keys change ${id} --metadata seats:=five`)).stderr, /must be JSON/)
      const [changed = {}] = await json(`keys show ${id}`)
      assert.deepEqual(
        [changed['name'], changed['expiresAt'], changed['quota'], changed['addresses'], changed['metadata']],
        ['Renamed', null, null, null, { plan: 'pro' }],
      )
      assert.equal((await run(`keys change ${id} --name Late --if-revision ${String(key['revision'])}`)).code, 4)
    })

    test('rotate gives a second secret, retire takes the first away', async () => {
      const { id, secret } = await issued()
      const newer = await done(`keys rotate ${id} --grace 1h`)
      assert.match(newer, /^lk_live_[0-9A-Za-z]{38}$/)
      assert.equal((await run(`keys rotate ${id}`)).code, 4)
      assert.match(await done(`keys show ${id}`), /^old secret +lk_live_\w{4}…, works until \d{4}-.*$/m)
      assert.deepEqual(await Promise.all([verdict(secret), verdict(newer)]), ['accepted', 'accepted'])
      await done(`keys retire ${id}`)
      assert.deepEqual(await Promise.all([verdict(secret), verdict(newer)]), ['secret_ended', 'accepted'])
    })

    test('a revoked key is erased for good, once that is confirmed', async () => {
      const { id } = await issued({ name: 'Zebulon' })
      assert.equal((await run(`keys erase ${id} --yes`)).code, 4, 'it is not revoked')
      await done(`keys revoke ${id} --reason requested --yes`)
      assert.equal((await run(`keys erase ${id}`)).code, 2, 'nobody is there to confirm it')
      const { stderr } = await run(`keys erase ${id} --yes`)
      assert.match(
        stderr,
        /^Erased key_\w+, everywhere after \d+ ms: entry \d+ of the journal says so\. Nothing of it is left in the database\. Backups made before still have it\.$/m,
      )
      assert.equal((await run(`keys show ${id}`)).code, 3)
      const again = await run(`keys erase ${id} --yes`)
      assert.equal(again.code, 3, again.stderr)
    })

    test('a disabled owner is erased for good with its keys, once that is confirmed', async () => {
      const { id, owner } = await issued()
      assert.equal((await run(`owners erase ${owner} --yes`)).code, 4, 'it is not disabled')
      await done(`owners change ${owner} --disable`)
      assert.equal((await run(`owners erase ${owner}`)).code, 2, 'nobody is there to confirm it')
      const { stderr } = await run(`owners erase ${owner} --yes`)
      assert.match(
        stderr,
        /^Erased the owner, everywhere after \d+ ms: entry \d+ of the journal says so\. Nothing of it is/m,
      )
      for (const gone of [`owners show ${owner}`, `keys show ${id}`]) {
        const answer = await run(gone)
        assert.equal(answer.code, 3, answer.stderr)
      }
      const told = await done('journal show --limit 5')
      assert.match(told, /erased an owner for good/)
      assert.ok(!told.includes(owner))
    })

    test('disable, enable and revoke; revoked is final', async () => {
      const { id, secret } = await issued()
      await done(`keys disable ${id} --note pause`)
      assert.equal(await verdict(secret), 'disabled')
      await done(`keys enable ${id}`)
      assert.equal(await verdict(secret), 'accepted')
      const unasked = await run(`keys revoke ${id} --reason compromised`)
      assert.equal(unasked.code, 2)
      assert.match(unasked.stderr, /--yes/)
      assert.equal(await verdict(secret), 'accepted', 'nobody was asked, so nothing was done')
      const { stderr } = await run(`keys revoke ${id} --reason compromised --yes`)
      assert.match(stderr, /^Revoked key_\w+, everywhere after \d+ ms: revoked, revision \d+\.$/m)
      assert.equal(await verdict(secret), 'revoked')
      assert.equal((await run(`keys enable ${id}`)).code, 4)
    })

    test('what is not there is exit code 3', async () => {
      const [found, owner, change, revoke] = await Promise.all([
        run('keys show key_00000000000000000000'),
        run('owners show nobody'),
        run('keys disable key_00000000000000000000'),
        run('keys revoke key_00000000000000000000 --reason other --yes'),
      ])
      assert.deepEqual([found.code, owner.code, change.code, revoke.code], [3, 3, 3, 3])
    })

    test('an owner is shown, disabled with all keys, and limited', async () => {
      const { secret, owner } = await issued()
      await done(`owners change ${owner} --disable --limit all=10/1h --note unpaid`)
      assert.equal(await verdict(secret), 'owner_disabled')
      assert.match(await done(`owners show ${owner}`), /^state +disabled since .*\nlimits +all=10\/1h$/m)
      await done(`owners change ${owner} --enable --clear-limits`)
      assert.equal(await verdict(secret), 'accepted')
    })

    test('owners are listed with their keys, and keys are counted', async () => {
      const { owner } = await issued()
      await issued({ owner, environment: 'test', expiresAt: Date.now() + 3_600_000 })
      await done(`owners change ${owner} --limit all=10/1h`)
      assert.match(await done(`owners list --text ${owner}`), new RegExp(`^${owner}\tactive\t2\t2\tall=10/1h$`, 'm'))
      const listed = JSON.parse(await done(`owners list --text ${owner} --json`)) as { owner: string; keys: number }
      assert.deepEqual([listed.owner, listed.keys], [owner, 2])
      assert.match((await run('owners list --text nobody-at-all')).stderr, /^No owners found\.$/m)
      const counts = await done(`keys count --owner ${owner} --expires-before 1d`)
      assert.deepEqual(counts.trimEnd().split('\n'), [
        'ENV\tKEYS\tACTIVE\tPENDING\tEXPIRED\tDISABLED\tOWNER DISABLED\tREVOKED\tEXPIRING',
        'live\t1\t1\t0\t0\t0\t0\t0\t0',
        'test\t1\t1\t0\t0\t0\t0\t0\t1',
        'all\t2\t2\t0\t0\t0\t0\t0\t1',
      ])
      const { asOf, keys } = JSON.parse(await done(`keys count --owner ${owner} --json`)) as Record<string, unknown>
      assert.deepEqual([keys, typeof asOf], [2, 'string'])
      assert.match((await run('keys count --owner nobody-at-all')).stderr, /^No keys found\.$/m)
    })

    test('verify says yes or no, why, and spends nothing unless told to', async () => {
      const { id, secret } = await issued({ quota: { amount: 2 } })
      const yes = await run('verify', { env: { LATCHKEY_CREDENTIAL: secret } })
      assert.equal(yes.code, 0)
      assert.match(yes.stdout, new RegExp(`^verdict +accepted\nkey +${id}$`, 'm'))
      const no = await run('verify --scope orders:write', { input: secret })
      assert.equal(no.code, 1)
      assert.match(no.stdout, /^verdict +refused\ncode +insufficient_scope$/m)
      assert.match(no.stdout, /^missing scopes +orders:write$/m)
      for (const flags of ['--environment test,live', '--any-environment'])
        assert.match((await run(`verify ${flags}`, { input: secret })).stdout, /^environment +live$/m)
      assert.equal((await run('verify --environment test', { input: secret })).code, 1)
      assert.equal((await run('verify --environment live --any-environment', { input: secret })).code, 2)
      assert.doesNotMatch(yes.stdout + yes.stderr + no.stdout + no.stderr, secretPattern)
      assert.equal((await run('verify --spend --cost 2', { input: secret })).code, 0)
      const [spent] = jsonLines((await run('verify --json', { input: secret })).stdout)
      assert.equal(spent?.['code'], 'quota_exhausted')
      assert.equal((await run('verify')).code, 2, 'no secret')
    })

    test('a list is filtered, ends where it is told, and goes on', async () => {
      const owner = `lister-${name.replaceAll(' ', '-')}`
      for (const number of [1, 2, 3])
        await done(`keys issue --name Listed${number} --owner ${owner} --scope orders:read`)
      const all = await json(`keys list --owner ${owner}`)
      assert.deepEqual(
        all.map((key) => key['name']),
        ['Listed3', 'Listed2', 'Listed1'],
      )
      const first = await run(`keys list --owner ${owner} --limit 2`)
      const lines = first.stdout.trimEnd().split('\n')
      assert.equal(lines[0], 'ID\tNAME\tOWNER\tENV\tSTATE\tSCOPES\tLAST USED')
      assert.equal(lines.length, 3)
      const [, cursor = ''] = /--cursor ([\w-]+)/.exec(first.stderr) ?? []
      const rest = await json(`keys list --owner ${owner} --cursor ${cursor} --all`)
      assert.deepEqual(
        rest.map((key) => key['name']),
        ['Listed1'],
      )
      const named = await json(`keys list --owner ${owner} --order name`)
      assert.deepEqual(
        named.map((key) => key['name']),
        ['Listed1', 'Listed2', 'Listed3'],
      )
      const other = await run(`keys list --owner ${owner} --order name --cursor ${cursor}`)
      assert.match(other.stderr, /--cursor must be .* in the same order/)
      assert.deepEqual(await json(`keys list --owner ${owner} --text LISTED2`).then((keys) => keys.length), 1)
      assert.equal((await run('keys list --state lost')).code, 2)
    })

    test('keys are found by their metadata, and counted', async () => {
      const { owner, id } = await issued({ metadata: { plan: 'gold', seats: 5 } })
      for (const seats of ['5', 6]) await issued({ owner, metadata: { plan: 'gold', seats } })
      const [key, ...others] = await json(`keys list --owner ${owner} --metadata plan=gold --metadata seats:=5`)
      assert.deepEqual([key?.['id'], others], [id, []])
      assert.equal(await done(`keys list --owner ${owner} --metadata plan=gold --count`), '3')
      const none = await json(`keys list --owner ${owner} --metadata seats:=null --count`)
      assert.deepEqual(none, [{ count: 0, more: false }])
      const nested = await run('keys list --metadata plan:={"a":1}')
      assert.equal(nested.code, 2)
      assert.match(nested.stderr, /--metadata must be/)
      assert.equal((await run('keys list --count --all')).code, 2)
    })

    test('while a key is rotated, a list says when the old secret ends and when it was last used', async () => {
      const { id, owner } = await issued()
      await done(`keys rotate ${id} --grace 2d`)
      const [key] = await json(`keys list --owner ${owner} --rotating`)
      const { oldEndsAt, oldLastUsedAt } = (key?.['rotation'] ?? {}) as Readonly<Record<string, unknown>>
      assert.ok(Date.parse(String(oldEndsAt)) > Date.now() + 86_400_000)
      assert.equal(oldLastUsedAt, null)
      const { stdout } = await run(`keys list --owner ${owner} --rotating`)
      const [titles, cells] = stdout.trimEnd().split('\n')
      assert.match(titles ?? '', /\tLAST USED\tOLD ENDS\tOLD LAST USED$/)
      assert.ok(cells?.endsWith(`\t${String(oldEndsAt).slice(0, 16)}Z\tnever`), cells)
    })

    test('one change is shown by its number, and the end of the journal with what was checked', async () => {
      const { id, revision } = await issued()
      await done(`keys change ${id} --name Renamed`)
      const [{ entry = {}, before = {} } = {}] = await json(`journal show --key ${id} --limit 1`).then(
        async ([{ seq } = {}]) => json(`journal show ${String(seq)}`),
      )
      assert.deepEqual(before, { name: 'Key' })
      assert.equal((entry as { action?: unknown }).action, 'change')
      assert.match(await done(`journal show ${revision}`), new RegExp(`^${revision}  .*issued Renamed`))
      const mixed = await run(`journal show ${revision} --key ${id}`)
      assert.deepEqual([mixed.code, mixed.stderr.includes('--key')], [2, true])
      assert.equal((await run('journal show 999999')).code, 1)
      assert.match(await done('journal head'), /^\d+:[0-9a-f]{64}\n/)
      const [head = {}] = await json('journal head')
      assert.equal(head['intact'], true)
    })

    test('the journal is shown and whole; with another checkpoint it is not', async () => {
      const { id } = await issued()
      const entries = await json(`journal show --key ${id}`)
      assert.deepEqual(
        entries.map(({ action, subject }) => [action, subject]),
        [['issue', id]],
      )
      assert.match(String(entries[0]?.['at']), /^\d{4}-\d\d-\d\dT/)
      assert.match(
        await done('journal show --limit 1 --order oldest'),
        /^SEQ\tTIME\tACTOR\tACTION\tSUBJECT\tCHANGE\n1\t/,
      )
      const whole = await done('journal verify')
      const [, checkpoint = ''] = /^(\d+:[0-9a-f]{64})$/m.exec(whole) ?? []
      await done(`journal verify --checkpoint ${checkpoint}`)
      const other = await run(`journal verify --json --checkpoint 1:${'0'.repeat(64)}`)
      assert.equal(other.code, 1)
      assert.deepEqual(jsonLines(other.stdout), [{ intact: false, entries: 0, at: 1, fault: 'rewritten' }])
    })

    test('usage is a list', async () => {
      assert.deepEqual(await json('usage --owner nobody'), [])
      assert.equal(await done('usage --owner nobody --by key'), 'KEY\tCOUNT\tCOST\tBY DAY')
      const sums = JSON.parse(await done('usage --by outcome --step hour --json'))
      assert.deepEqual([sums.step, sums.by, sums.others], ['hour', 'outcome', null])
      for (const wrong of ['usage --step hour', 'usage --by key --limit 3', 'usage --by key --top 51']) {
        assert.equal((await run(wrong)).code, 2, wrong)
      }
      assert.equal(await done('usage --owner nobody'), 'HOUR\tKEY\tCOUNT\tCOST\tOUTCOME\tOWNER\tENV')
    })

    test('doctor finds nothing wrong', async () => {
      const [report] = await json('doctor')
      assert.equal(report?.['ok'], true, JSON.stringify(report))
    })
  })
}

test('why a call was refused is asked of the server by the id in the answer', async () => {
  const { url, environment: env } = served
  const answer = await fetch(`${url}/v1/keys`)
  const { instance } = (await answer.json()) as { instance: string }
  const found = await there.run(['refusals', 'show', instance], { env })
  assert.equal(found.code, 0, found.stderr)
  assert.match(found.stdout, /^code +missing$/m)
  assert.equal((await there.run(['refusals', 'show', 'nope'], { env })).code, 3)
})

test('an application key, a wrong address and a missing admin key have their exit codes, and no key is repeated', async () => {
  const { environment: env } = served
  const secret = await there.done(['keys', 'issue', '--name', 'App', '--owner', 'acme', '--scope', 'orders:read'])
  const list = ['keys', 'list']
  const [other, away, none, wrong] = await Promise.all([
    there.run(list, { env: { ...env, LATCHKEY_ADMIN_KEY: secret } }),
    there.run([...list, '--url', 'http://127.0.0.1:65534'], { env }),
    there.run([...list, '--url', served.url]),
    there.run([...list, '--url', 'ftp://x'], { env }),
  ])
  assert.deepEqual([other.code, away.code, none.code, wrong.code], [1, 69, 78, 2])
  for (const { stdout, stderr } of [other, away, none, wrong]) assert.doesNotMatch(stdout + stderr, secretPattern)
  assert.equal((await there.run([...list, '--url', served.url, '--store', 'sqlite:x.db'], { env })).code, 2)
})

test('no secret that was issued stands in what the server has printed', () => {
  assert.doesNotMatch(served.printed(), secretPattern)
})
