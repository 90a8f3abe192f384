// Started by authority.ts: another program that writes to the same file. Each line of stdin is a time until which it
// holds the lock; when it has it, it says how long the journal is, and when it has let it go, when that was.

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
    // Before it is let go: whatever is committed from now on is committed later than this.
    const at = Date.now()
    database.exec('ROLLBACK')
    say({ is: 'free', at })
  }
  database.close()
}
