import type { Bind } from '../list-order.ts'

/**
 * An index of every three characters that follow each other in what can be searched. Triggers keep it in the transaction
 * that changes a key, whoever does. What is deleted leaves nothing behind in it.
 */
export const textIndex: readonly string[] = [
  `CREATE VIRTUAL TABLE latchkey_key_texts USING fts5(id, name, owner, start, content='latchkey_keys',
    content_rowid='place', tokenize='trigram', detail=none)`,
  `INSERT INTO latchkey_key_texts (latchkey_key_texts, rank) VALUES ('secure-delete', 1)`,
  // Every 64 pages that changes of keys have written, the next one puts some hundred pages in order: of 4 KiB, for 30 ms.
  `INSERT INTO latchkey_key_texts (latchkey_key_texts, rank) VALUES ('pgsz', 512)`,
  `INSERT INTO latchkey_key_texts (latchkey_key_texts) VALUES ('rebuild')`,
  `CREATE TRIGGER latchkey_key_texts_insert AFTER INSERT ON latchkey_keys BEGIN
    INSERT INTO latchkey_key_texts (rowid, id, name, owner, start) VALUES (new.place, new.id, new.name, new.owner, new.start);
  END`,
  `CREATE TRIGGER latchkey_key_texts_delete AFTER DELETE ON latchkey_keys BEGIN
    INSERT INTO latchkey_key_texts (latchkey_key_texts, rowid, id, name, owner, start)
      VALUES ('delete', old.place, old.id, old.name, old.owner, old.start);
  END`,
  // Every change of a key writes all its columns.
  `CREATE TRIGGER latchkey_key_texts_update AFTER UPDATE OF id, name, owner, start ON latchkey_keys
    WHEN old.id <> new.id OR old.name <> new.name OR old.owner <> new.owner OR old.start <> new.start BEGIN
    INSERT INTO latchkey_key_texts (latchkey_key_texts, rowid, id, name, owner, start)
      VALUES ('delete', old.place, old.id, old.name, old.owner, old.start);
    INSERT INTO latchkey_key_texts (rowid, id, name, owner, start) VALUES (new.place, new.id, new.name, new.owner, new.start);
  END`,
]

/**
 * Places of all keys that have a text of three characters or more, and perhaps of others: those with all its threes of
 * characters, in whatever order.
 */
export function textPlaces(text: string, bind: Bind): string {
  const characters = Array.from(text)
  const threes = new Set(characters.slice(2).map((_, index) => characters.slice(index, index + 3).join('')))
  const all = [...threes].map((three) => `"${three.replaceAll('"', '""')}"`).join(' AND ')
  return `SELECT rowid AS place FROM latchkey_key_texts WHERE latchkey_key_texts MATCH ${bind(all)}`
}
