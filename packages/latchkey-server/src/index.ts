/**
 * @module The server as a Fastify plugin: the life of keys over HTTP, with its OpenAPI document, its metrics and its own
 * admin keys. The command line `latchkey serve` is a program around it.
 */

export { latchkeyServer, serverOptions } from './http/app.ts'
export type { LatchkeyServerOptions } from './http/app.ts'
export { firstAdminKey, writeFirstAdminKey } from './first-admin-key.ts'
export { docsPolicy } from './http/hooks/security.ts'
