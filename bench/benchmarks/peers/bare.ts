// A process of its own: node:http alone, and no key.

import { createServer } from 'node:http'
import { serve } from './serve.ts'

await serve(
  createServer((_request, response) => response.end()),
  { secrets: process.argv.slice(2, 3) },
)
