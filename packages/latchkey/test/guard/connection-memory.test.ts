import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectionMemory } from '../../src/guard/connection-memory.ts'
import { Credential } from '../../src/verify/credential.ts'

test('a connection that sends another text is another credential, however alike their bytes are', () => {
  const half = 'é'.repeat(127)
  const pairs: readonly (readonly [string, string])[] = [
    ['lk_live_one', 'lk_live_two'],
    [`${half}a${half}`, `${half}a${'ü'.repeat(127)}`],
    ['é'.repeat(253), `${'é'.repeat(252)}ü`],
    ['\ud800'.repeat(255), '\ud801'.repeat(255)],
    ['a'.repeat(255), `${'a'.repeat(254)}b`],
    ['a'.repeat(256), `${'a'.repeat(255)}b`],
  ]
  for (const [one, other] of pairs.flatMap(([some, another]) => [[some, another] as const, [another, some] as const])) {
    const remember = connectionMemory((text) => new Credential(text))
    const connection = {}
    for (const text of [one, other, one]) {
      const presented = remember(connection, text)
      assert.equal(typeof presented === 'string' ? presented : presented.text, text)
    }
  }
})

test('a connection that sends the same text again has the same credential', () => {
  for (const text of ['lk_live_one', 'a'.repeat(255)]) {
    const remember = connectionMemory((presented) => new Credential(presented))
    const connection = {}
    const first = remember(connection, text)
    assert.ok(first instanceof Credential)
    assert.equal(remember(connection, text), first)
  }
})
