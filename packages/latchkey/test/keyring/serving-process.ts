// Started by other-process.test.ts: verifies one secret without pause until it is refused.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openKeyring } from '../../src/keyring/open.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'

const [file = ''] = process.argv.slice(2)
const keyring = await openKeyring({ store: sqliteStore({ file }), scopes: { 'orders:read': 'Read orders' } })

async function serve(secret: string): Promise<void> {
  let lastAccepted = 0n
  for (let call = 0; ; call++) {
    const began = process.hrtime.bigint()
    const verdict = await keyring.verify(secret)
    if (!verdict.ok) {
      process.send?.({ lastAccepted: String(lastAccepted), refused: verdict.refusal.code })
      return
    }
    lastAccepted = began
    if (call === 0) process.send?.('serving')
    if (call % 100 === 0) await nextTurn()
  }
}

process.on('message', (secret: string) => void serve(secret))
process.on('disconnect', () => void keyring.close())
process.send?.('open')
