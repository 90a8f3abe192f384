// docs/reference/metrics.md names what `/metrics` tells: no more, no less.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import Fastify from 'fastify'
import { refusals } from 'latchkey'
import { testKeyring } from 'latchkey/testing'
import { firstAdminKey, latchkeyServer, serverOptions } from 'latchkey-server'
import { readPage } from './markdown.ts'

const page = readPage(readFileSync(join(dirname(import.meta.dirname), 'docs', 'reference', 'metrics.md'), 'utf8'))

/** The lines of `/metrics` after a request of each kind. */
async function exposed(): Promise<readonly string[]> {
  const { keyring } = await testKeyring({ scopes: {} })
  const app = Fastify(serverOptions)
  await app.register(latchkeyServer, { keyring })
  const headers = { 'X-API-Key': (await firstAdminKey(keyring)) ?? '' }
  // The first answer is counted when it is sent, and the second tells of it.
  await app.inject({ url: '/metrics', headers })
  const { body } = await app.inject({ url: '/metrics', headers })
  await app.close()
  await keyring.close()
  return body.split('\n')
}

/** A metric with its type and the labels of its samples, but for those that its type brings along. */
interface Metric {
  readonly type: string
  readonly labels: readonly string[] | undefined
}

function metricsIn(lines: readonly string[]): ReadonlyMap<string, Metric> {
  const found = new Map<string, Metric>()
  for (const line of lines) {
    const [, name, type] = /^# TYPE (\S+) (\w+)$/.exec(line) ?? []
    if (name === undefined || type === undefined) continue
    const samples = lines.filter((sample) => new RegExp(`^${name}(?:_bucket|_sum|_count)?[ {]`).test(sample))
    const labels = samples.flatMap((sample) => [...sample.matchAll(/[{,](\w+)="/g)].map(([, label]) => label!))
    const own = [...new Set(labels)].filter((label) => label !== 'le' && label !== 'quantile').toSorted()
    found.set(name, { type, labels: samples.length === 0 ? undefined : own })
  }
  return found
}

test('every metric has a row with its type and labels, and none is described that is gone', async () => {
  const metrics = metricsIn(await exposed())
  const named = (cell = ''): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)
  const rows = page.tables.filter(({ header }) => header[0] === 'metric').flatMap((table) => table.rows)
  const described = new Map(rows.map(([name, type, labels, what]) => [named(name)[0] ?? '', { type, labels, what }]))
  assert.equal(described.size, rows.length, 'each metric has one row')

  // Some that the row says are told on Linux only.
  const told = [...described].filter(([, { what }]) => process.platform === 'linux' || !what?.endsWith('on Linux only'))
  assert.deepEqual(
    told.map(([name]) => name).toSorted(),
    [...metrics.keys()].filter((name) => described.has(name) || process.platform === 'linux').toSorted(),
  )
  for (const [name, { type, labels }] of metrics) {
    assert.equal(described.get(name)?.type, type, name)
    if (labels !== undefined) assert.deepEqual(named(described.get(name)?.labels), labels, name)
  }
  for (const name of ['latchkey_verifications_total', 'latchkey_http_requests_total']) {
    assert.ok(metrics.get(name)?.labels !== undefined, `${name} was counted`)
  }
})

test('alerts are about metrics and outcomes that there are', async () => {
  const metrics = metricsIn(await exposed())
  const rules = page.blocks.filter(({ language }) => language === 'yaml').map(({ code }) => code)
  const names = rules.flatMap((rule) => rule.match(/\b(?:latchkey|process|nodejs)_\w+/g) ?? [])
  assert.ok(names.length > 5)
  for (const name of names) assert.ok(metrics.has(name.replace(/_bucket$/, '')), name)
  const outcomes = rules.flatMap((rule) =>
    [...rule.matchAll(/outcome=~?"([^"]+)"/g)].flatMap(([, list]) => list!.split('|')),
  )
  assert.ok(outcomes.length > 3)
  for (const outcome of outcomes) assert.ok(outcome in refusals, outcome)
})
