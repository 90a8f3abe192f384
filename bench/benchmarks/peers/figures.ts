import type { Figure } from '../figure.ts'
import { inGroupsOf, ratioOf, spreadOf } from '../measure.ts'
import { costOf, cpuInGroups } from '../measured-server.ts'
import type { Contender, Results } from './contestants.ts'
import { contestants } from './contestants.ts'

/** Short blocks follow the changes of a machine; four of them are one measurement. */
export const blocksInGroup = 4

const unit = 'requests/s'
/** The lines of the benchmark. */
export const lines = {
  bare: { name: `peers: ${contestants.bare.named}`, unit },
  open: { name: 'peers: Fastify alone, no key', unit },
  fastify: { name: `peers: ${contestants.fastify.named}`, unit },
  express: { name: `peers: ${contestants.express.named}`, unit },
  hono: { name: `peers: ${contestants.hono.named}`, unit },
  betterAuth: { name: `peers: ${contestants.betterAuth.named}`, unit },
  fastapi: { name: `peers: ${contestants.fastapi.named}`, unit },
  latchkey: { name: `peers: ${contestants.latchkey.named}`, unit },
  limited: { name: 'peers: Latchkey, keys with two limits', unit },
  againstBetterAuth: { name: 'peers: requests a second against better-auth', goal: { atLeast: 25 } },
  againstFastapi: { name: 'peers: requests a second against FastAPI', goal: { atLeast: 10 } },
  cpuAgainstBetterAuth: { name: 'peers: speed by CPU against better-auth', goal: { atLeast: 25 } },
  cpuAgainstFastapi: { name: 'peers: speed by CPU against FastAPI', goal: { atLeast: 10 } },
  theirGuard: { name: 'peers: @fastify/bearer-auth, guarded against open: speed by CPU' },
  ourGuard: { name: 'peers: Latchkey, guarded against open: speed by CPU' },
  guards: { name: 'peers: Latchkey less @fastify/bearer-auth, guarded against open', goal: { atLeast: -0.05 } },
}

const leftOut = { value: undefined, sides: 'left out: the packages are not installed' } as const

/** The figures of the benchmark, in the order of its lines. */
export function figuresOf(results: Results): readonly Figure[] {
  const perSecond = (name: Contender): readonly number[] =>
    inGroupsOf(
      blocksInGroup,
      (results[name] ?? []).map((block) => block.perSecond),
    )
  const cpu = (name: Contender): readonly number[] => cpuInGroups(results[name] ?? [], blocksInGroup)
  const guards = {
    theirs: cpu('fastify open').map((open, group) => open / (cpu('fastify guarded')[group] ?? Number.NaN)),
    ours: cpu('latchkey open').map((open, group) => open / (cpu('latchkey guarded')[group] ?? Number.NaN)),
  }
  const alone = (name: Contender): Pick<Figure, 'value' | 'sides'> =>
    results[name] === undefined ? leftOut : { value: spreadOf(perSecond(name)), sides: told(name) }
  const ours = perSecond('latchkey guarded')
  const against = (name: Contender): Pick<Figure, 'value' | 'sides'> =>
    results[name] === undefined
      ? leftOut
      : { value: ratioOf(ours, perSecond(name)), sides: `${told('latchkey guarded')}; ${told(name)}` }
  const byCpu = (name: Contender): Pick<Figure, 'value' | 'sides'> =>
    results[name] === undefined
      ? leftOut
      : {
          // The time of the other by our time is our speed.
          value: ratioOf(cpu(name), cpu('latchkey guarded')),
          sides: `${told('latchkey guarded')}; ${told(name)}`,
        }
  const told = (name: Contender): string => costOf(results[name] ?? [])
  return [
    { ...lines.bare, ...alone('bare open') },
    { ...lines.open, ...alone('fastify open') },
    { ...lines.fastify, ...alone('fastify guarded') },
    { ...lines.express, ...alone('express guarded') },
    { ...lines.hono, ...alone('hono guarded') },
    { ...lines.betterAuth, ...alone('betterAuth guarded') },
    { ...lines.fastapi, ...alone('fastapi guarded') },
    { ...lines.latchkey, ...alone('latchkey guarded') },
    { ...lines.limited, ...alone('latchkey limited') },
    { ...lines.againstBetterAuth, ...against('betterAuth guarded') },
    { ...lines.againstFastapi, ...against('fastapi guarded') },
    { ...lines.cpuAgainstBetterAuth, ...byCpu('betterAuth guarded') },
    { ...lines.cpuAgainstFastapi, ...byCpu('fastapi guarded') },
    {
      ...lines.theirGuard,
      value: spreadOf(guards.theirs),
      sides: `open ${told('fastify open')}; guarded ${told('fastify guarded')}`,
    },
    {
      ...lines.ourGuard,
      value: spreadOf(guards.ours),
      sides: `open ${told('latchkey open')}; guarded ${told('latchkey guarded')}`,
    },
    {
      ...lines.guards,
      value: spreadOf(guards.ours.map((one, group) => one - (guards.theirs[group] ?? Number.NaN))),
      sides: `ours ${spreadOf(guards.ours).median.toFixed(3)}, theirs ${spreadOf(guards.theirs).median.toFixed(3)}`,
    },
  ]
}
