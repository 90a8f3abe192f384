import { connectKeyring } from 'latchkey/client'
import { conformanceScopes, keyringConformance } from '../../latchkey/test/conformance/keyring.ts'
import { compose } from '../src/compose.ts'
import { readSettings } from '../src/config.ts'
import { firstAdminKey } from '../src/first-admin-key.ts'

keyringConformance('over HTTP', async () => {
  const settings = readSettings({ environment: { LATCHKEY_STORE: 'sqlite::memory:' } })
  const { app, keyring, close } = await compose({ ...settings, scopes: conformanceScopes })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const key = await firstAdminKey(keyring)
  const connected = await connectKeyring<keyof typeof conformanceScopes>({ url, key: key ?? '' })
  return { keyring: connected, flushUsage: keyring.flushUsage, remove: close }
})
