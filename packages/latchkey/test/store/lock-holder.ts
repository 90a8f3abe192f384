// Started by tests: takes the write lock of a database, says so, and holds it until it is told to let it go.
import { DatabaseSync } from 'node:sqlite'

const [file = ''] = process.argv.slice(2)
const database = new DatabaseSync(file, { timeout: 5000 })

process.on('message', (word) => {
  database.exec(word === 'lock' ? 'BEGIN IMMEDIATE' : 'COMMIT')
  process.send?.(word === 'lock' ? 'locked' : 'free')
})
process.on('disconnect', () => database.close())
process.send?.('open')
