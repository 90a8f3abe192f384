// Promises about types. `tsc -p .` keeps them: if one is broken this file does not compile. Nothing here is run.

import express from 'express'
import type { ExpressGuard } from 'latchkey/guard/express'

type Scope = 'rooms:read' | 'rooms:write'
declare const guard: ExpressGuard<Scope>

// The handler of a guarded route knows its path, and its key.
express().get('/rooms/:room', guard.requires('rooms:read'), (request, response) => {
  const held: readonly Scope[] = guard.keyOf(request).scopes
  const room: string = request.params.room
  // @ts-expect-error -- the path has no such parameter
  const house: string = request.params.house
  response.json({ held, room, house })
})

// A misspelt scope does not compile, and the message lists those that are declared.
// @ts-expect-error -- not declared
guard.requires('rooms:reed')
export function lastForm(last: Parameters<typeof guard.requires>): [scope: Scope, ...more: readonly Scope[]] {
  return last
}

// @ts-expect-error -- no argument
guard.requires()
