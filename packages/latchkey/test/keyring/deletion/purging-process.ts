// Started by purge-killed.test.ts, which kills it: purges, and tells after each transaction what is gone.
import { openKeyring } from '../../../src/keyring/open.ts'
import { sqliteStore } from '../../../src/store/sqlite.ts'

const [file = '', ahead = '0'] = process.argv.slice(2)
const clock = { now: () => Date.now() + Number(ahead), monotonic: () => performance.now() }
const keyring = await openKeyring({ store: sqliteStore({ file, mode: 'write' }), clock })
await keyring.purge({ actor: 'purging process', progress: (soFar) => void process.send?.(soFar) })
process.disconnect()
await keyring.close()
