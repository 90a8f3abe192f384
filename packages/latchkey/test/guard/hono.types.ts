// Promises about types. `tsc -p .` keeps them: if one is broken this file does not compile. Nothing here is run.

import { Hono } from 'hono'
import type { HonoGuard } from 'latchkey/guard/hono'

type Scope = 'rooms:read' | 'rooms:write'
declare const guard: HonoGuard<Scope>

const app = new Hono().use(guard.guard)

// The handler of a guarded route knows the key, and its path.
app.get('/rooms/:room', guard.requires('rooms:read'), (c) => {
  const held: readonly Scope[] = c.var.apiKey.scopes
  const room: string = c.req.param('room')
  return c.json({ held, room })
})

// @ts-expect-error -- the path has no such parameter
app.get('/rooms/:room', guard.requires('rooms:read'), (c) => c.text(c.req.param('house') satisfies string))

// @ts-expect-error -- an open route has no key
app.get('/open', guard.open, (c) => c.text(c.var.apiKey.owner))

// A misspelt scope does not compile, and the message lists those that are declared.
// @ts-expect-error -- not declared
guard.requires('rooms:reed')
export function lastForm(last: Parameters<typeof guard.requires>): [scope: Scope, ...more: readonly Scope[]] {
  return last
}

// @ts-expect-error -- no argument
guard.requires()
