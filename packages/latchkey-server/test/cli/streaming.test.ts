import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import { startListing } from '../../src/cli/listing.ts'

interface Row {
  readonly number: number
}

const columns = [
  { title: 'NUMBER', text: ({ number }: Row) => String(number) },
  { title: 'TEXT', text: () => 'x', flexible: true },
]

/** What is written to stdout from now on, as if it were a terminal or not. */
function written(context: TestContext, isTerminal: boolean): { readonly lines: () => readonly string[] } {
  const before = process.stdout.isTTY
  process.stdout.isTTY = isTerminal
  context.after(() => (process.stdout.isTTY = before))
  let all = ''
  context.mock.method(process.stdout, 'write', (text: string) => {
    all += text
    return true
  })
  return { lines: () => all.split('\n').slice(0, -1) }
}

test('a table for programs is written as its rows come, and has its head without any', (context) => {
  const { lines } = written(context, false)
  const listing = startListing<Row>({ json: false, columns, empty: 'None.' })
  listing.add([{ number: 1 }])
  assert.deepEqual(lines(), ['NUMBER\tTEXT', '1\tx'])
  listing.add([{ number: 2 }])
  assert.equal(lines().length, 3, 'before the end')
  listing.end()
  startListing<Row>({ json: false, columns, empty: 'None.' }).end()
  assert.deepEqual(lines().slice(3), ['NUMBER\tTEXT'])
})

test('a table in a terminal waits for a thousand rows to measure, and then for no more', (context) => {
  const { lines } = written(context, true)
  const listing = startListing<Row>({ json: false, columns, empty: 'None.' })
  listing.add(Array.from({ length: 999 }, (_, number) => ({ number })))
  assert.equal(lines().length, 0)
  listing.add([{ number: 999 }])
  assert.equal(lines().length, 1001)
  listing.add([{ number: 1_000_000 }])
  assert.match(lines()[1001] ?? '', /^1000000 +x$/, 'a cell that may not be cut off is not')
  listing.end()
  assert.equal(lines().length, 1002)
})
