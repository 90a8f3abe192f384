/**
 * @module The keyring of a server over HTTP, with the same verbs as a keyring in the process: to move from one to the other
 * is to change one line.
 */

import { openTransport } from './client/transport.ts'
import type { CallOptions, Transport } from './client/transport.ts'
import type { QuestionReader } from './client/question.ts'
import { questionReader } from './client/question.ts'
import { verbsOver } from './client/verbs.ts'
import { verifierOver } from './client/verify.ts'
import { LatchkeyError } from './error.ts'
import type { Keyring } from './keyring/keyring.ts'
import { membersOf, objectOf } from './options.ts'
import type { Catalogue } from './policy/scopes.ts'

export type { CallOptions } from './client/transport.ts'

/** The address of the server, and how to speak to it. */
export interface ConnectOptions {
  /** Its address, with the prefix under which it is mounted: `https://keys.example.com` or `http://127.0.0.1:8000/latchkey`. */
  readonly url: string
  /** An admin key. It is sent as `X-API-Key`, and is never in an address, a message or an error. */
  readonly key: string
  /** Sends the requests; the platform's own if left out. */
  readonly fetch?: typeof fetch
  /** Milliseconds for a call, with all that is sent again; 5,000 if left out. The whole journal is given ten minutes. */
  readonly timeout?: number
  /**
   * How often a call is sent again at most, when the server cannot be reached or says that it cannot answer at present;
   * 2 if left out, 0 for never, at most 10. The first waits are 50 to 100 ms and 100 to 200 ms long.
   */
  readonly retries?: number
  /** Gives up connecting, and all calls later. For some calls only, see `with`. */
  readonly signal?: AbortSignal
  /**
   * Allows http to another machine, where anyone on the network path can read the key: for a network that is encrypted
   * by other means. If left out, http is allowed to this machine only.
   */
  readonly insecure?: boolean
}

const connectOptions = membersOf<ConnectOptions>({
  url: true,
  key: true,
  fetch: true,
  timeout: true,
  retries: true,
  signal: true,
  insecure: true,
})

const callOptions = membersOf<CallOptions>({ signal: true, timeout: true })

/** The keyring of a server. */
export interface RemoteKeyring<Scope extends string = string> extends Keyring<Scope> {
  /**
   * The same keyring over the same connection, with another time for calls, or with a signal that gives them up. Closing
   * either closes the connection. A call that was given up rejects with the reason of the signal, and the server may
   * still do it; `verify` and `verifyMany` give the refusal `unavailable`, with that reason as its `cause`.
   *
   * @throws LatchkeyError `invalid_input`.
   *
   * @example
   * const key = process.env['LATCHKEY_ADMIN_KEY'] ?? ''
   * const keyring = await connectKeyring({ url: 'https://keys.example.com', key })
   * const { signal } = new AbortController()
   * const { keys } = await keyring.with({ signal, timeout: 1000 }).list({ owner: 'acme' })
   * console.log(keys.length)
   */
  with(call: CallOptions): RemoteKeyring<Scope>
}

/**
 * Connects to the keyring of a server, with the verbs that an embedded keyring has. Three things differ:
 *
 * - The admin key says whose work it is: `actor` is not sent, and the journal names the id of that key.
 * - A fault of the network or the server is the error `unavailable`; `verify` and `verifyMany` give the refusal of that name.
 * - When a connection breaks, or the server cannot answer at present, a call is sent again if it reads, if it changes a
 *   key or an owner, or if it creates keys with an `idempotencyKey`. So a rotation whose answer was lost ends with a secret
 *   that works. Any other call, `verify` too, is sent again only if the server cannot have begun with it.
 *
 * Redirects are not followed.
 *
 * @throws LatchkeyError `invalid_input` for an address or a key that cannot be used; `unavailable`, `unexpected_answer`,
 *   `admin_key_refused`.
 *
 * @example
 * const key = process.env['LATCHKEY_ADMIN_KEY'] ?? ''
 * const keyring = await connectKeyring({ url: 'https://keys.example.com', key })
 * const { secret } = await keyring.issue({ name: 'CI', owner: 'acme', scopes: ['orders:read'] })
 */
export async function connectKeyring<Scope extends string = string>(
  connection: ConnectOptions,
): Promise<RemoteKeyring<Scope>> {
  objectOf('The options of connectKeyring', connection, connectOptions)
  const transport = openTransport(connection)
  const { scopes, environments } = await transport.send({ method: 'GET', path: '/v1/keyring', repeatable: true })
  if (typeof scopes !== 'object' || scopes === null || !isListOfNames(environments)) {
    const message = `What answers at ${transport.base} is not a Latchkey server: it says nothing of scopes and environments.`
    throw new LatchkeyError('unexpected_answer', message)
  }
  const declared = { scopes: scopes as Catalogue<Scope>, environments }
  return keyringOver(transport, declared, questionReader(environments))
}

/** What the server says of its keyring once, when it is connected to. */
type Declared<Scope extends string> = Pick<Keyring<Scope>, 'scopes' | 'environments'>

function keyringOver<Scope extends string>(
  transport: Transport,
  declared: Declared<Scope>,
  questionOf: QuestionReader,
): RemoteKeyring<Scope> {
  return {
    ...declared,
    ...verifierOver<Scope>(transport, questionOf),
    ...verbsOver<Scope>(transport),
    with(call) {
      objectOf('The options of with', call, callOptions)
      return keyringOver(transport.with(call), declared, questionOf)
    },
  }
}

function isListOfNames(value: unknown): value is readonly [string, ...string[]] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')
}
