// A process of its own: for each framework an application with an empty middleware that sets one header, the same again,
// and one with the guard in its place.

import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { getRequestListener } from '@hono/node-server'
import type { Express } from 'express'
import express from 'express'
import { Hono } from 'hono'
import { openKeyring } from 'latchkey'
import { expressGuard } from 'latchkey/guard/express'
import { fetchGuard } from 'latchkey/guard/fetch'
import { honoGuard } from 'latchkey/guard/hono'
import { sqliteStore } from 'latchkey/store/sqlite'
import { fill, scopes } from './fill.ts'
import { beMeasured } from './measured-server.ts'

const [file = '', wanted = ''] = process.argv.slice(2)
const count = Number(wanted)
const store = sqliteStore({ file })
const secrets = await fill(store, { count, keep: count })
const keyring = await openKeyring({ store, scopes })

const listenerOf = (fetch: (request: Request) => Response | Promise<Response>): RequestListener => {
  const listener = getRequestListener(fetch)
  return (request, response) => void listener(request, response)
}

function plainHono(): RequestListener {
  const app = new Hono()
  app.get('/', async (context, next) => {
    context.header('cache-control', 'private')
    await next()
  })
  app.get('/', (context) => context.body(''))
  const listener = getRequestListener(app.fetch)
  return (request, response) => void listener(request, response)
}

function guardedHono(): RequestListener {
  const { guard, requires, checked } = honoGuard(keyring)
  const app = new Hono().use(guard)
  app.get('/', requires('orders:read'), (context) => context.body(''))
  const listener = getRequestListener(checked(app).fetch)
  return (request, response) => void listener(request, response)
}

function plainExpress(): Express {
  const app = express()
  app.get(
    '/',
    (_request, response, next) => {
      response.setHeader('cache-control', 'private')
      next()
    },
    (_request, response) => void response.end(),
  )
  return app
}

function guardedExpress(): Express {
  const { requires, checked } = expressGuard(keyring)
  const app = express()
  app.get('/', requires('orders:read'), (_request, response) => void response.end())
  return checked(app)
}

const plainFetch = (): RequestListener =>
  listenerOf(async () => {
    const response = new Response('')
    response.headers.set('cache-control', 'private')
    return response
  })

const guardedFetch = (): RequestListener =>
  listenerOf(fetchGuard(keyring).guarded(['orders:read'], () => new Response('')))

/** The sides, by the names of requests. */
const listeners: Readonly<Record<string, RequestListener>> = {
  honoPlain: plainHono(),
  honoAgain: plainHono(),
  honoGuarded: guardedHono(),
  expressPlain: plainExpress(),
  expressAgain: plainExpress(),
  expressGuarded: guardedExpress(),
  fetchPlain: plainFetch(),
  fetchAgain: plainFetch(),
  fetchGuarded: guardedFetch(),
}

const ports: Record<string, number> = {}
for (const [name, listener] of Object.entries(listeners)) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  ports[name] = (server.address() as AddressInfo).port
}
beMeasured({ port: 0, ports, secrets })
