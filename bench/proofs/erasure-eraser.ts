// Started by erasure.ts, which may kill it: erases one owner.

import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'

const [file = '', owner = ''] = process.argv.slice(2)
const keyring = await openKeyring({ store: sqliteStore({ file, mode: 'write' }) })
process.stdout.write('erasing\n')
const { cleared } = await keyring.eraseOwner(owner)
process.stdout.write(cleared ? 'erased\n' : 'erased, not cleared\n')
await keyring.close()
