// Started by sqlite.test.ts: opens a store and commits some keys, one by one.
import { chain } from '../../src/journal/chain.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { newKey, newSecret } from '../conformance/store.ts'

const [file = '', count = '0'] = process.argv.slice(2)
const store = sqliteStore({ file })
for (let index = 0; index < Number(count); index++) {
  const name = `key_${process.pid}_${index}`
  const secret = newSecret({ hash: `${process.pid}_${index}`.padStart(64, '0') })
  const draft = { at: 1, actor: 'test', action: 'issue', subject: name, change: '{}' } as const
  await store.commit([{ kind: 'insert', key: { ...newKey().key, id: name }, secret, quota: null, draft }], chain)
}
await store.close()
