export { latchkeyServer, serverOptions } from './http/app.ts'
export type { LatchkeyServerOptions } from './http/app.ts'
export { firstAdminKey, writeFirstAdminKey } from './first-admin-key.ts'
export { docsPolicy } from './http/hooks/security.ts'
