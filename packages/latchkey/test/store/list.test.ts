import { sqliteStore } from '../../src/store/sqlite.ts'
import { listConformance } from '../conformance/list.ts'

listConformance('SQLite', () => sqliteStore({ file: ':memory:' }))
