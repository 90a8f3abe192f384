import { isIP } from 'node:net'
import { advised } from '../advice.ts'
import type { Finding } from './finding.ts'
import { fail, ok, warn } from './finding.ts'
import { clockTolerance } from './platform.ts'

/** How the server at an address answers without a key. */
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
      const found = `${path} answers ${answer.status}`
      const remedy = 'Read the log of the server. Where its database is, this says more:'
      findings.push(
        answer.status === 200 ? ok(what, found) : fail({ what, found, remedy, commands: [advised('doctor')] }),
      )
      if (path === '/healthz') findings.push(...clockFindings(answer.headers.get('date')))
    } catch (error) {
      const { cause } = error as { cause?: { code?: string } }
      const found = `${path} does not answer: ${cause?.code ?? 'the address cannot be asked'}`
      findings.push(fail({ what, found, remedy: remedyFor(cause?.code ?? '') }))
      break
    }
  }
  return findings
}

/** What to do about a connection that failed. */
function remedyFor(code: string): string {
  if (/SELF_SIGNED_CERT|UNABLE_TO_(?:GET_ISSUER|VERIFY)/.test(code))
    return 'Set NODE_EXTRA_CA_CERTS to a file with the certificate of the authority that signed the one of the server.'
  if (code === 'CERT_HAS_EXPIRED') return 'Give the server a new certificate.'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'Use the name that the certificate of the server is for.'
  if (/^EPROTO$|^ERR_SSL_/.test(code))
    return 'The server does not speak TLS. Put a proxy with TLS before it, or use http://.'
  if (/^ECONNRESET$|^UND_ERR_SOCKET$/.test(code)) return 'If the server speaks TLS, use https://.'
  return 'Start the server, or correct the address.'
}

function transportFinding(url: string): Finding {
  const { protocol, hostname } = URL.parse(url) ?? { protocol: '', hostname: '' }
  if (protocol === 'https:') return ok('transport', 'https')
  const host = hostname.replace(/^\[|\]$/g, '')
  const local = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  return local
    ? ok('transport', 'http, on this machine')
    : warn({
        what: 'transport',
        found: 'http: the admin key crosses the network unencrypted',
        remedy: 'Put the server behind TLS, and use https://.',
      })
}

function clockFindings(date: string | null): readonly Finding[] {
  const at = date === null ? Number.NaN : Date.parse(date)
  if (Number.isNaN(at)) return []
  const apart = Date.now() - at
  return Math.abs(apart) < clockTolerance
    ? [ok('clocks', 'the server and this machine agree')]
    : [
        fail({
          what: 'clocks',
          found: `the server's clock and this one are ${Math.round(Math.abs(apart) / 1000)} s apart`,
          remedy: 'Set both with NTP.',
        }),
      ]
}
