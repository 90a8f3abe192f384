import type { Engine } from '../engine.ts'
import { like, lower } from '../like.ts'

/**
 * What PostgreSQL has of its own.
 *
 * @param hasTextIndex - whether the index of all threes of characters is there.
 */
export function engineOf(hasTextIndex: boolean): Engine {
  return {
    textPlaces(text, bind) {
      if (!hasTextIndex) return undefined
      const pattern = bind(like(lower(text)))
      const has = searched.map((column) => `LOWER(${column}) LIKE ${pattern} ESCAPE '!'`)
      return `SELECT place FROM latchkey_keys WHERE ${has.join(' OR ')}`
    },
    memberIs(name, value, bind) {
      const member = `CAST(${withoutZero('k.metadata')} AS jsonb) -> CAST(${bind(markedZero(name))} AS TEXT)`
      if (value === null) return `COALESCE(${member}, 'null') = 'null'`
      const marked = typeof value === 'string' ? markedZero(value) : value
      return `${member} = CAST(${bind(JSON.stringify(marked))} AS jsonb)`
    },
    wholeText: (column) => column,
  }
}

// Neither jsonb nor a text may have U+0000, which JSON may. So it is compared as two characters for private use, of which the
// first is doubled where it stands for itself.
const [mark, itself, zero] = ['\ue000', '\ue001', '\ue002']

function markedZero(text: string): string {
  return text.replaceAll(mark, mark + itself).replaceAll('\0', mark + zero)
}

/** The same of JSON. Escaped backslashes go first, so that one that is left begins an escape. */
function withoutZero(column: string): string {
  const marked = `REPLACE(${column}, '${mark}', '${mark}${itself}')`
  const backslashes = `REPLACE(${marked}, CHR(92) || CHR(92), CHR(92) || 'u005c')`
  return `REPLACE(${backslashes}, CHR(92) || 'u0000', '${mark}${zero}')`
}

const searched = ['id', 'name', 'owner', 'start']

/** Whether the index is there: its extension may be missing, or not be allowed. */
export const hasTextIndex: string = `SELECT 1 WHERE to_regclass('latchkey_keys_texts') IS NOT NULL`

/** The extension is there once for a database, wherever its first user put it. */
export const textIndex: string = `DO $$
  DECLARE place TEXT;
  BEGIN
    BEGIN
      CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    SELECT n.nspname INTO place FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
      WHERE e.extname = 'pg_trgm';
    IF place IS NOT NULL THEN
      EXECUTE format('CREATE INDEX latchkey_keys_texts ON latchkey_keys USING gin (${searched
        .map((column) => `LOWER(${column}) %1$I.gin_trgm_ops`)
        .join(', ')})', place);
    END IF;
  END $$`
