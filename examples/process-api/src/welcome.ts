import type { Settings } from './settings.ts'

/** The facts about keys at the start. */
export interface KnownKeys {
  /** Has just been issued, and is shown only now; like the next one. */
  readonly key?: string | undefined
  readonly adminKey?: string | undefined
  /** Whether there is none yet, so that the keys cannot be administered over HTTP. */
  readonly noAdminKey?: boolean
  /** Whether a shell can read `SERVICE_API_KEY` from `.env`. */
  readonly inFile?: boolean
}

/** The text that a start prints: the address of the service, its first keys if they are new, and a call to paste. */
export function welcome(
  address: string,
  { LATCHKEY_STORE, SERVICE_API_KEY }: Settings,
  { key, adminKey, noAdminKey = false, inFile = false }: KnownKeys = {},
): string {
  const port = new URL(address).port
  const wildcard = /^http:\/\/(?:0\.0\.0\.0|\[::\])(?=:|$)/
  const url = wildcard.test(address) ? `http://127.0.0.1:${port}` : address
  const lines = [`Serving ${url}, documented at ${url}/docs`, `Its keys are administered at ${url}/latchkey/docs`, '']
  if (adminKey !== undefined) {
    lines.push('Your first admin key, for /latchkey. It is shown only now:', '', `  ${adminKey}`, '')
  }
  if (noAdminKey) {
    const command = 'npm run latchkey -- keys issue --admin --name Operator --owner operator'
    lines.push('There is no admin key for it yet: start this once in a terminal, or issue one beside the database:', '')
    lines.push(`  ${command}`, '')
  }
  if (key !== undefined) {
    lines.push('Your first key. It is shown only now:', '', `  ${key}`, '', 'Try it:', '', call(url, key))
  } else if (SERVICE_API_KEY !== undefined) {
    // Do not show the key itself. The reader's shell may not have the environment of this process.
    const [where, ownKey] = inFile
      ? ['in this folder', '$(grep ^SERVICE_API_KEY= .env | cut -d= -f2-)']
      : ['with your SERVICE_API_KEY in its place', '<SERVICE_API_KEY>']
    lines.push(`Keys: SERVICE_API_KEY, and those in the database. Try it, ${where}:`, '', call(url, ownKey))
  } else {
    lines.push(
      `Keys: those in ${LATCHKEY_STORE}. The first was shown when it was issued; if it is lost, set`,
      'SERVICE_API_KEY in .env to a key of your own, or delete the database to start anew.',
    )
  }
  return lines.join('\n') + '\n'
}

function call(url: string, key: string): string {
  return `curl -i ${url}/process -H "X-API-Key: ${key}" -H "Content-Type: application/json" -d '{"status":"SUCCESS"}'`
}
