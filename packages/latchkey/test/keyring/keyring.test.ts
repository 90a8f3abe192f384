import { openKeyring } from '../../src/keyring/open.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { conformanceScopes, keyringConformance } from '../conformance/keyring.ts'

keyringConformance('in this process', async () => {
  const keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes: conformanceScopes })
  return { keyring, flushUsage: keyring.flushUsage, async remove() {} }
})
