// A process of its own: Hono on Node with its own bearerAuth, which compares with one key.

import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { bearerAuth } from 'hono/bearer-auth'
import { routes, serve } from './serve.ts'

const [secret = ''] = process.argv.slice(2)
const app = new Hono()
app.post(routes.open, (context) => context.body(''))
app.post(routes.guarded, bearerAuth({ token: secret }), (context) => context.body(''))
const listener = getRequestListener(app.fetch)
await serve(
  createServer((request, response) => void listener(request, response)),
  { secrets: [secret] },
)
