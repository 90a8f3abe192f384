import { isIP } from 'node:net'
import type { Command } from 'commander'
import { settingsTable } from '../config.ts'
import { commandIn } from './command.ts'
import { Failure } from './exit.ts'
import { put } from './terminal/print.ts'

/** Milliseconds to wait for the answer of a server. */
const patience = 5000

export function healthCommand(program: Command): void {
  commandIn(program, 'health', 'Check that a server is ready (/readyz), for the health check of a container')
    .option('--url <address>', 'Address of the server, with its prefix if it has one (http://127.0.0.1 and PORT)')
    .action(async ({ url }: { readonly url?: string }) => {
      const base = (url ?? urlHere()).replace(/\/+$/, '')
      const answer = await statusOf(`${base}/readyz`)
      if (answer !== 200) throw new Failure('failed', `The server is not ready: /readyz answers ${answer}.`)
      put('ready')
    })
}

/** The address of a server with these settings, from the same machine. */
function urlHere(): string {
  const { host, port } = settingsTable
  const address = process.env[host.variable] || host.fallback
  const number = port.read(process.env[port.variable] || port.fallback)
  if (number === undefined) throw new Failure('settings', `${port.variable} must be ${port.must}.`)
  const near = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address
  return `http://${isIP(near) === 6 ? `[${near}]` : near}:${number}`
}

/** @throws Failure `usage` for an invalid address; `failed` if no server answers. */
async function statusOf(url: string): Promise<number> {
  const { protocol, username, password } = URL.parse(url) ?? {}
  if ((protocol !== 'http:' && protocol !== 'https:') || username !== '' || password !== '') {
    throw new Failure('usage', '--url must be an address such as http://127.0.0.1:8080, without a password.')
  }
  try {
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(patience) })
    await answer.body?.cancel()
    return answer.status
  } catch (error) {
    const { name, cause } = error as { readonly name: string; readonly cause?: NodeJS.ErrnoException }
    throw new Failure('failed', `The server does not answer (${cause?.code ?? cause?.message ?? name}).`, {
      cause: error,
    })
  }
}
