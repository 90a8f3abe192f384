import type { DatabaseSync } from 'node:sqlite'
import type { SecretMatch } from '../../ports.ts'
import { matchOfRow } from '../lookups.ts'
import { bySecret } from '../sql.ts'
import type { Statements } from './statements.ts'

/**
 * Looks up a key by the hash of its secret on one connection. The hot statement has its own variable: there is no look-up
 * by text on the way to a verdict, and no work that is done step by step.
 */
export function secretLookupOf(
  database: DatabaseSync,
  { explained }: Pick<Statements, 'explained'>,
): (hash: string) => SecretMatch | undefined {
  const statement = database.prepare(bySecret)
  return (hash) => {
    let found: unknown
    try {
      found = statement.get({ 1: hash })
    } catch (error) {
      throw explained(error, bySecret, [hash])
    }
    return found === undefined ? undefined : matchOfRow(found as Parameters<typeof matchOfRow>[0])
  }
}
