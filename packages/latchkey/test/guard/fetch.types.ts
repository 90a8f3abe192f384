// Promises about types. `tsc -p .` keeps them: if one is broken this file does not compile. Nothing here is run.

import type { FetchGuard } from 'latchkey/guard/fetch'

type Scope = 'rooms:read' | 'rooms:write'
declare const guard: FetchGuard<Scope>

/** As Next.js calls it. */
interface Context {
  readonly params: Promise<{ readonly room: string }>
}

// The handler knows the key, and what the platform gives.
export const GET: (request: Request, context: Context) => Promise<Response> = guard.guarded(
  ['rooms:read'],
  async (_request, key, { params }: Context) => {
    const held: readonly Scope[] = key.scopes
    return Response.json({ held, room: (await params).room })
  },
)

// @ts-expect-error -- not declared
guard.guarded(['rooms:reed'], () => new Response('x'))
// @ts-expect-error -- asks for nothing
guard.guarded([], () => new Response('x'))
