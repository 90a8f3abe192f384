import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testKeyring } from '../../src/testing.ts'
import type { Verifier } from '../../src/verify/verdict.ts'
import type { Scope, Served } from './guard.ts'
import { scopes } from './guard.ts'

/** Ways to write a path, some of which a router may take for the same one. */
const spellings: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => path.toUpperCase(),
  (path) => `${path}/`,
  (path) => `${path}//`,
  (path) => `/${path}`,
  (path) => `/.${path}`,
  (path) => `/x/..${path}`,
  (path) => `/x/%2e%2e${path}`,
  (path) => `/x/.%2E${path}`,
  (path) => path.replace(/\/(\w)/, (_all, letter: string) => `/%${letter.charCodeAt(0).toString(16)}`),
  (path) => path.replace(/(\w)$/, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`),
  (path) => path.replaceAll('/', '%2f').replace('%2f', '/'),
  (path) => path.replaceAll('/', '%5C').replace('%5C', '/'),
  (path) => `${path}?`,
  (path) => `${path}?x=/open`,
  (path) => `${path};x=1`,
  (path) => `${path}%00`,
  (path) => `${path}%0a`,
  (path) => `${path}%20`,
  (path) => `${path}%ff`,
  (path) => `${path}#x`,
  (path) => `${path}.json`,
  (path) => `${path}%2f`,
  (path) => `http://other.example${path}`,
]

/** Methods by which a route for all of them, or for some, may be reached. */
const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'QUERY', 'PROPFIND']

/** A served application, and what its paths are. */
export interface Reachable extends Pick<Served, 'send' | 'close'> {
  /** Paths of handlers that need a key, or that nothing declares; the first one takes any key. */
  readonly paths: readonly string[]
}

/**
 * No spelling of a path, with any method, leads to a handler without a key. Each handler of an application calls `handled`.
 */
export function reachingConformance(
  name: string,
  variants: Readonly<Record<string, (verifier: Verifier<Scope>, handled: () => void) => Promise<Reachable>>>,
): void {
  for (const [variant, serve] of Object.entries(variants)) {
    test(`guard: ${name}, ${variant}: no spelling of a path and no method leads to a handler without a key`, async () => {
      const { keyring, headersFor } = await testKeyring({ scopes })
      let handled = 0
      const { paths, send, close } = await serve(keyring, () => void handled++)
      try {
        const key = await headersFor([])
        const { status } = await send({ path: paths[0] ?? '', headers: Object.entries(key) })
        assert.deepEqual([status, handled], [200, 1], 'with a key, the handler is reached')
        for (const path of paths) {
          for (const spelling of spellings) {
            for (const method of methods) {
              await send({ method, path: spelling(path) })
              assert.equal(handled, 1, `${method} ${spelling(path)}`)
            }
          }
        }
      } finally {
        await close()
      }
    })
  }
}
