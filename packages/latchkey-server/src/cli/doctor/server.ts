import { isIP } from 'node:net'
import type { Finding } from './finding.ts'
import { good, note, reasonOf, wrong } from './finding.ts'
import { clockTolerance } from './platform.ts'

/** How the server at an address answers those who have no key. */
export async function serverFindings(url: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [transportFinding(url)]
  const base = url.replace(/\/+$/, '')
  for (const [path, what] of [
    ['/healthz', 'server'],
    ['/readyz', 'readiness'],
  ] as const) {
    try {
      const answer = await fetch(base + path, { redirect: 'manual', signal: AbortSignal.timeout(5000) })
      await answer.body?.cancel()
      findings.push(
        answer.status === 200
          ? good(what, `${path} answers 200`)
          : wrong(
              what,
              `${path} answers ${answer.status}`,
              'Look at its log: latchkey doctor beside its database says more.',
            ),
      )
      if (path === '/healthz') findings.push(...clockFindings(answer.headers.get('date')))
    } catch (error) {
      const { cause } = error as { cause?: { code?: string } }
      findings.push(
        wrong(
          what,
          `${path} does not answer: ${cause?.code ?? reasonOf(error)}`,
          'Start the server, or mend LATCHKEY_URL.',
        ),
      )
      break
    }
  }
  return findings
}

function transportFinding(url: string): Finding {
  const { protocol, hostname } = URL.parse(url) ?? { protocol: '', hostname: '' }
  if (protocol === 'https:') return good('transport', 'https')
  const host = hostname.replace(/^\[|\]$/g, '')
  const local = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  return local
    ? good('transport', 'http, on this machine')
    : note('transport', 'http: the admin key crosses the network in the clear', 'Put the server behind TLS.')
}

function clockFindings(date: string | null): readonly Finding[] {
  const at = date === null ? Number.NaN : Date.parse(date)
  if (Number.isNaN(at)) return []
  const apart = Date.now() - at
  return Math.abs(apart) < clockTolerance
    ? [good('clocks', 'the server and this machine agree')]
    : [
        wrong(
          'clocks',
          `the server's clock and this one are ${Math.round(Math.abs(apart) / 1000)} s apart`,
          'Set both with NTP.',
        ),
      ]
}
