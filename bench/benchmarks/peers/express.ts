// A process of its own: Express with the few lines that compare with one key in constant time.

import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { RequestHandler } from 'express'
import express from 'express'
import { refusal, routes, serve } from './serve.ts'

const [secret = ''] = process.argv.slice(2)
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
const expected = digest(secret)

const authenticated: RequestHandler = (request, response, next) => {
  const given = request.headers['x-api-key']
  // Of equal length, as the comparison needs them.
  if (typeof given === 'string' && timingSafeEqual(digest(given), expected)) next()
  else response.status(401).json({ detail: refusal })
}

const app = express()
app.post(routes.open, (_request, response) => void response.end())
app.post(routes.guarded, authenticated, (_request, response) => void response.end())
await serve(createServer(app), { secrets: [secret] })
