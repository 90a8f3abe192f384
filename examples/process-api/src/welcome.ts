import type { Settings } from './settings.ts'

/** What a start prints: where the service is, its first key if it has just been issued, and a call that works when pasted. */
export function welcome(address: string, { LATCHKEY_STORE, SERVICE_API_KEY }: Settings, firstKey?: string): string {
  const port = new URL(address).port
  const wildcard = /^http:\/\/(?:0\.0\.0\.0|\[::\])(?=:|$)/
  const url = wildcard.test(address) ? `http://127.0.0.1:${port}` : address
  const lines = [`Serving ${url}, documented at ${url}/docs`, '']
  if (firstKey !== undefined) {
    lines.push('Your first key. It is shown only now:', '', `  ${firstKey}`, '', 'Try it:', '', call(url, firstKey))
  } else if (SERVICE_API_KEY !== undefined) {
    lines.push('Keys: SERVICE_API_KEY, and those in the database. Try it:', '', call(url, '$SERVICE_API_KEY'))
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
