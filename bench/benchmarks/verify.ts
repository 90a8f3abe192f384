import { hash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { hashSecret, openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { asSent, inTurn, verifying } from './contender.ts'
import type { Benchmark } from './figure.ts'
import { fill, scopes } from './fill.ts'
import { inTemporaryFolder } from './temporary-folder.ts'
import { interleave, microseconds, ratioOf } from './measure.ts'

const issued = 20_000
const hot = 1000
const warmCalls = 40_000
const coldCalls = 5000

/** The row that a cold verify reads, and no more than that. */
const select = `SELECT k.id, k.name, k.owner, k.environment, k.scopes, k.metadata, k.start, k.created_at, k.not_before,
  k.expires_at, k.revoked_at, k.revoked_reason, k.revoked_note, k.revision, k.addresses, k.limits, k.quota, k.delegation,
  k.disabled_at, s.hash, s.kind, s.start AS secret_start, s.created_at AS secret_created_at, s.retired_at, s.ends_at,
  s.last_used_at, o.disabled_at AS owner_disabled_at, o.limits AS owner_limits, o.revision AS owner_revision
  FROM latchkey_secrets s JOIN latchkey_keys k ON k.place = s.place
  LEFT JOIN latchkey_owners o ON o.owner = k.owner WHERE s.hash = $1`

const lines = {
  warm: { name: 'verify, warm: speed against SHA-256 and a Map', goal: { atLeast: 0.5 } },
  cold: { name: 'verify, cold: speed against a prepared SELECT', goal: { atLeast: 0.5 } },
}

/** The cost that `verify` adds to the unavoidable work. */
export const verify: Benchmark = {
  method:
    'One process, one thread. Warm: `keyring.verify(secret, requirement)` for 1,000 keys that the keyring holds, against a ' +
    'SHA-256 of the secret and a look-up in a Map. Cold: the same for 20,000 keys in turn by a keyring that holds 200, ' +
    'against a prepared SELECT of the same rows by the same join, on its own connection to the same file. ' +
    'The ratio is speed: 1 is as fast as the bare work, 0.5 is half as fast.',

  lines: Object.values(lines),

  run: (progress) =>
    inTemporaryFolder(async (folder) => {
      const file = join(folder, 'latchkey.db')
      const store = sqliteStore({ file })
      const secrets = asSent(await fill(store, { count: issued, keep: issued }))
      const warmKeyring = await openKeyring({ store, scopes })
      const coldKeyring = await openKeyring({ store: sqliteStore({ file }), scopes, cacheSize: 200 })
      const bare = new DatabaseSync(file, { readOnly: true })
      bare.exec('PRAGMA cache_size = -65536')
      const statement = bare.prepare(select)
      const hotSecrets = secrets.slice(0, hot)
      const known = new Map(hotSecrets.map((secret) => [hashSecret(secret), { ok: true }]))

      progress('measuring')
      const times = await interleave({
        contenders: {
          warm: verifying(warmKeyring, { secrets: hotSecrets, calls: warmCalls }),
          hashAndMap: inTurn(hotSecrets, {
            calls: warmCalls,
            call(secret) {
              if (known.get(hash('sha256', secret, 'hex'))?.ok !== true) throw new Error('The map lacks a key.')
            },
          }),
          cold: verifying(coldKeyring, { secrets, calls: coldCalls }),
          select: inTurn(secrets.map(hashSecret), {
            calls: coldCalls,
            call(secretHash) {
              if (statement.get({ 1: secretHash }) === undefined) throw new Error('The database lacks a key.')
            },
          }),
        },
        warmUp: 10,
        rounds: 100,
      })
      bare.close()
      await coldKeyring.close()
      await warmKeyring.close()

      return [
        {
          ...lines.warm,
          // The time of the bare work by the time of ours is our speed by its speed.
          value: ratioOf(times.hashAndMap, times.warm),
          sides: `bare ${microseconds(times.hashAndMap)}, verify ${microseconds(times.warm)}`,
        },
        {
          ...lines.cold,
          value: ratioOf(times.select, times.cold),
          sides: `bare ${microseconds(times.select)}, verify ${microseconds(times.cold)}`,
        },
      ]
    }),
}
