import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { statementsOf } from '../../src/store/sqlite/statements.ts'

test('however many texts are asked for, a bounded number of statements is kept, and each answers', () => {
  const database = new DatabaseSync(':memory:')
  let prepared = 0
  const counting = {
    prepare(text: string) {
      prepared++
      return database.prepare(text)
    },
  } as unknown as DatabaseSync
  const { row } = statementsOf(counting, ':memory:')
  const ask = (number: number): unknown => row<{ found: number }>(`SELECT ${number} AS found`)?.found
  for (let number = 0; number < 500; number++) assert.equal(ask(number), number)
  for (let number = 0; number < 500; number++) assert.equal(ask(number), number)
  assert.equal(prepared, 500, 'each once')
  assert.equal(ask(500), 500)
  assert.equal(ask(500), 500)
  assert.equal(ask(0), 0)
  assert.equal(prepared, 502, 'the first of them went, and was prepared anew')
  database.close()
})
