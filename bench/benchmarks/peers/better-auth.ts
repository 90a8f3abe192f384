// A process of its own: Fastify with the API keys of better-auth, in a SQLite file.

import { DatabaseSync } from 'node:sqlite'
import { apiKey } from '@better-auth/api-key'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import Fastify from 'fastify'
import { refusal, routes, serve } from './serve.ts'

const [file = '', wanted = ''] = process.argv.slice(2)
const database = new DatabaseSync(file)
// Its quickest safe settings: the plugin writes with every verification.
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
const auth = betterAuth({
  database,
  secret: 'a secret of the benchmark, of 32 characters or more',
  baseURL: 'http://127.0.0.1',
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  logger: { disabled: true },
  // Without its own limit, which would refuse most calls.
  plugins: [apiKey({ rateLimit: { enabled: false } })],
})
await (await getMigrations(auth.options)).runMigrations()
const { user } = await auth.api.signUpEmail({
  body: { name: 'Bench', email: 'bench@example.com', password: 'a long password' },
})
const secrets: string[] = []
for (let count = 0; count < Number(wanted); count++) {
  secrets.push((await auth.api.createApiKey({ body: { name: `Key ${count}`, userId: user.id } })).key)
}

const app = Fastify()
app.addHook('onRequest', async (request, reply) => {
  if (request.routeOptions.url === routes.open) return
  const key = request.headers['x-api-key']
  const verdict = typeof key === 'string' ? await auth.api.verifyApiKey({ body: { key } }) : undefined
  if (verdict?.valid !== true) await reply.code(401).send({ detail: refusal })
})
app.post(routes.open, (_request, reply) => reply.send())
app.post(routes.guarded, (_request, reply) => reply.send())
await app.ready()
await serve(app.server, { secrets })
