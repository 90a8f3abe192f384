import { join } from 'node:path'
import type { Measured } from '../measured-server.ts'

/** Open to every server, each with a request on its way. */
export const connections = 32

/** Debian's own, which has Debian's packages. */
export const python = '/usr/bin/python3'

/** A server that is compared. */
export interface Peer {
  /** In `peers`. */
  readonly server: string
  /** How it is called. */
  readonly named: string
  /** The arguments of its process. */
  readonly args: (place: { readonly folder: string; readonly secret: string }) => readonly string[]
  /** Where it reads the key. */
  readonly field: 'X-API-Key:' | 'Authorization: Bearer'
  /** Requests in a block: some 50 ms or more, longer than a lease lasts. */
  readonly requests: number
}

const oneKey = { args: ({ secret }) => [secret], requests: 1000 } satisfies Partial<Peer>

/** All that are compared. */
export const contestants = {
  bare: { ...oneKey, server: 'bare.ts', named: 'node:http alone, no key', field: 'X-API-Key:' },
  fastify: { ...oneKey, server: 'fastify.ts', named: '@fastify/bearer-auth', field: 'Authorization: Bearer' },
  express: { ...oneKey, server: 'express.ts', named: 'Express, one key compared', field: 'X-API-Key:' },
  hono: { ...oneKey, server: 'hono.ts', named: 'Hono, bearerAuth', field: 'Authorization: Bearer' },
  betterAuth: {
    server: 'better-auth.ts',
    named: 'better-auth, API keys in SQLite',
    args: ({ folder }) => [join(folder, 'better-auth.db'), String(connections)],
    field: 'X-API-Key:',
    requests: 100,
  },
  latchkey: {
    server: 'latchkey.ts',
    named: 'Latchkey, keys in SQLite',
    args: ({ folder }) => [join(folder, 'latchkey.db'), String(connections)],
    field: 'X-API-Key:',
    requests: 1000,
  },
  fastapi: {
    server: 'fastapi.ts',
    named: 'FastAPI on uvicorn, one key compared',
    args: ({ folder, secret }) => [folder, secret, python],
    field: 'X-API-Key:',
    requests: 200,
  },
} as const satisfies Readonly<Record<string, Peer>>

/** One of them. */
export type PeerName = keyof typeof contestants

/** A route of one of them. The limited is the guarded one, asked with keys that have two limits. */
export type Contender = `${PeerName} ${'open' | 'guarded' | 'limited'}`

/** What was measured; a contender that is missing was left out. */
export type Results = { readonly [Name in Contender]?: readonly Measured[] }
