// Started by authority.ts: another program that writes to the same file. Each line of stdin is a time until which it
// holds the lock. When it has the lock, it prints the length of the journal; when it has released the lock, the time of
// the release.

import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

/** What it says. */
export type Said = { readonly is: 'held'; readonly journal: number } | { readonly is: 'free'; readonly at: number }

if (import.meta.main) {
  const [file = ''] = process.argv.slice(2)
  const database = new DatabaseSync(file, { timeout: 10_000 })
  const end = database.prepare('SELECT COALESCE(MAX(seq), 0) AS seq FROM latchkey_journal')
  const say = (said: Said): void => console.log(JSON.stringify(said))
  console.log('open')
  for await (const line of createInterface({ input: process.stdin })) {
    database.exec('BEGIN IMMEDIATE')
    say({ is: 'held', journal: Number(end.get()?.['seq']) })
    while (Date.now() < Number(line)) await sleep(Number(line) - Date.now())
    // Read the clock before the release: every later commit has a later time.
    const at = Date.now()
    database.exec('ROLLBACK')
    say({ is: 'free', at })
  }
  database.close()
}
