// Started by `stall`: holds the write lock of a database for so many milliseconds, and says when it has it.
import { DatabaseSync } from 'node:sqlite'

const [file = '', milliseconds] = process.argv.slice(2)
const database = new DatabaseSync(file, { timeout: 5000 })
database.exec('BEGIN IMMEDIATE')
process.send?.('locked')
setTimeout(() => {
  database.exec('ROLLBACK')
  database.close()
  process.disconnect()
}, Number(milliseconds))
