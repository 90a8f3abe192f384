// The runner for the proofs: `npm run prove` lists them, `npm run prove -- <name>` runs one.

import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { Proof } from './proofs/proof.ts'
import { missed } from './proofs/proof.ts'

/** All proofs. A new one is a file and a line here. */
const proofs: Readonly<Record<string, () => Promise<{ readonly proof: Proof }>>> = {
  'bad-config': () => import('./proofs/bad-config.ts'),
  crash: () => import('./proofs/crash.ts'),
  drain: () => import('./proofs/drain.ts'),
  fuzz: () => import('./proofs/fuzz.ts'),
  'journal-tamper': () => import('./proofs/journal-tamper.ts'),
  quota: () => import('./proofs/quota.ts'),
  rotate: () => import('./proofs/rotate.ts'),
  timing: () => import('./proofs/timing.ts'),
}

/** Exit codes: a figure was missed, or the command line makes no sense. */
const exit = { missed: 1, usage: 2 }

/** The command line makes no sense. The message says why. */
class UsageError extends Error {}

// An interrupted proof must not leave processes behind; they are ended when this one exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(exit.missed))

try {
  const [name, ...rest] = process.argv.slice(2)
  if (name === undefined) await list()
  else await run(name, rest)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exitCode = exit.usage
}

async function list(): Promise<void> {
  for (const [name, load] of Object.entries(proofs)) {
    const { promise, takes, sizes } = (await load()).proof
    const options = Object.entries(sizes).map(([size, value]) => `--${size} ${value}`)
    console.log(`${name.padEnd(14)} ${promise} (${options.join(' ')}: ${takes})`)
  }
}

async function run(name: string, args: readonly string[]): Promise<void> {
  const load = Object.hasOwn(proofs, name) ? proofs[name] : undefined
  if (load === undefined) {
    throw new UsageError(`There is no proof named ${JSON.stringify(name)}. Proofs: ${Object.keys(proofs).join(', ')}.`)
  }
  const { proof } = await load()
  const { seed, ...sizes } = numbers(args, { seed: randomInt(2 ** 32), ...proof.sizes })
  const progress = (line: string): void => console.error(`${name}: ${line}`)
  const began = performance.now()
  const outcome = await proof
    .prove({ sizes, seed, progress })
    // A proof that could not be brought to its end has shown nothing.
    .catch((error: unknown) => ({ figures: {}, required: {}, error: explain(error) }))
  const failed = missed(outcome)
  const kept = failed.length === 0 && !('error' in outcome)
  const seconds = Math.round((performance.now() - began) / 1000)
  console.log(JSON.stringify({ proof: name, kept, ...sizes, seed, seconds, ...outcome, missed: failed }))
  if (!kept) process.exitCode = exit.missed
}

/** Options that are whole numbers, over their defaults. */
function numbers<const Defaults extends Readonly<Record<string, number>>>(
  args: readonly string[],
  defaults: Defaults,
): Record<keyof Defaults, number> {
  const options = Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' as const }]))
  const given = parsed(() => parseArgs({ args: [...args], options, strict: true }).values)
  const entries = Object.entries(defaults).map(([name, otherwise]) => {
    const value = given[name]
    const least = name === 'seed' ? 0 : 1
    if (value !== undefined && !(/^\d{1,10}$/.test(value) && Number(value) >= least && Number(value) < 2 ** 32)) {
      throw new UsageError(`--${name} must be a whole number from ${least} up to ${2 ** 32 - 1}.`)
    }
    return [name, value === undefined ? otherwise : Number(value)]
  })
  return Object.fromEntries(entries) as Record<keyof Defaults, number>
}

function parsed<Value>(parse: () => Value): Value {
  try {
    return parse()
  } catch (error) {
    // Only the first sentence: the others explain what an option is.
    throw new UsageError(explain(error).split('. ', 1)[0] ?? '', { cause: error })
  }
}

function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
