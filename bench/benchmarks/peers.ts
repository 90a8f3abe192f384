import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { mint } from 'latchkey'
import type { Benchmark } from './figure.ts'
import { interleave } from './measure.ts'
import type { Measured, MeasuredServer, Ready } from './measured-server.ts'
import { withMeasuredServer } from './measured-server.ts'
import type { Contender, Peer, PeerName, Results } from './peers/contestants.ts'
import { connections, contestants, python } from './peers/contestants.ts'
import { blocksInGroup, figuresOf, lines } from './peers/figures.ts'
import { routes } from './peers/serve.ts'
import { emptyPost } from './request.ts'
import { inTemporaryFolder } from './temporary-folder.ts'

const groups = 25

/** Ours and what others would use instead. */
export const peers: Benchmark = {
  method:
    'The same empty route in each, `POST` without a body and an empty 200, over loopback and 32 connections that stay ' +
    'open, each with a key of its own where there are several. All are started, and asked in turn, in blocks; the ' +
    'server has one processor and its callers have another, where `taskset` can bind them. Keys are compared with one key by ' +
    '@fastify/bearer-auth, Hono, Express and FastAPI, which look nothing up. better-auth has its own limit turned off ' +
    'and SQLite in WAL mode; Latchkey is the guard alone, as the README begins. FastAPI and uvicorn are Debian’s ' +
    '(python3-fastapi, python3-uvicorn). Guarded against open is by the CPU time of the server, on two routes of one process.',
  lines: Object.values(lines),

  run: (progress) =>
    inTemporaryFolder(async (folder) => {
      const left = hasFastapi() ? [] : ['fastapi']
      for (const name of left) progress(`${name} is left out: its packages are not installed`)
      const names = (Object.keys(contestants) as PeerName[]).filter((name) => !left.includes(name))
      progress('starting')
      return withPeers(names, { folder, secret: mint({ prefix: 'lk', environment: 'live' }) }, async (servers) => {
        progress('measuring')
        return figuresOf(await measure(servers))
      })
    }),
}

type Servers = { readonly [Name in PeerName]?: MeasuredServer }

/** Starts peers, one inside the other, so that all of them end. */
async function withPeers<Result>(
  [name, ...rest]: readonly PeerName[],
  place: { readonly folder: string; readonly secret: string },
  use: (servers: Servers) => Promise<Result>,
): Promise<Result> {
  if (name === undefined) return use({})
  const { server, args, field } = contestants[name]
  const options = {
    server: `peers/${server}`,
    args: args(place),
    requestsOf: (said: PeerReady) => requestsOf(said, field),
    ...(canBind() ? { processors: { server: 0, load: 1 } } : {}),
  }
  return withMeasuredServer(options, (one) => withPeers(rest, place, (others) => use({ [name]: one, ...others })))
}

/** The ready message of a peer. */
interface PeerReady extends Ready {
  /** Of keys with two limits; left out by those that have none. */
  readonly limited?: readonly string[]
}

function requestsOf(
  { secrets, limited = [] }: PeerReady,
  field: Peer['field'],
): Readonly<Record<string, readonly string[]>> {
  const to = (target: string, some: readonly string[]): readonly string[] => {
    return Array.from({ length: connections }, (_, index) =>
      emptyPost(target, `${field} ${some[index % some.length] ?? ''}`),
    )
  }
  return {
    open: to(routes.open, secrets),
    guarded: to(routes.guarded, secrets),
    limited: to(routes.guarded, limited),
  }
}

async function measure(servers: Servers): Promise<Results> {
  const contenders: { [Name in Contender]?: () => Promise<Measured> } = {}
  for (const [name, { run }] of Object.entries(servers) as [PeerName, MeasuredServer][]) {
    const block = (route: string) => () => run({ name: route, keys: 'kept', count: contestants[name].requests })
    contenders[`${name} open`] = block('open')
    if (name !== 'bare') contenders[`${name} guarded`] = block('guarded')
    if (name === 'latchkey') contenders[`${name} limited`] = block('limited')
  }
  return interleave({
    contenders: contenders as Record<Contender, () => Promise<Measured>>,
    warmUp: 20,
    rounds: groups * blocksInGroup,
  })
}

function hasFastapi(): boolean {
  return spawnSync(python, ['-c', 'import fastapi, uvicorn'], { stdio: 'ignore' }).status === 0
}

/** Whether servers and callers can have a processor each. */
function canBind(): boolean {
  return availableParallelism() > 1 && spawnSync('taskset', ['-c', '0,1', 'true'], { stdio: 'ignore' }).status === 0
}
