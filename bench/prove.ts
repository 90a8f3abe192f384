// The runner for the proofs: `npm run prove` lists them, `npm run prove -- <name>` runs one, and with `--plant <fault>`
// shows that it finds a fault planted in a copy of the sources. `npm run prove -- --plant all` does so with all of them.

import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { Finding } from './faults.ts'
import { checkFaults, tableOfFindings } from './faults.ts'
import { proofs } from './proofs.ts'
import type { Proof, Run } from './proofs/proof.ts'
import { missed } from './proofs/proof.ts'

/** Exit codes: a figure was missed, or the command line makes no sense. */
const exit = { missed: 1, usage: 2 }

/** The command line makes no sense. The message says why. */
class UsageError extends Error {}

// An interrupted proof must not leave processes behind; they are ended when this one exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(exit.missed))

try {
  const [first, ...rest] = process.argv.slice(2)
  if (first === undefined) await list()
  else if (first.startsWith('--')) await plantAll(process.argv.slice(2))
  else await run(first, rest)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exitCode = exit.usage
}

async function list(): Promise<void> {
  for (const [name, load] of Object.entries(proofs)) {
    const { promise, takes, sizes, faults, choices = {} } = (await load()).proof
    const options = [
      ...Object.entries(sizes).map(([size, value]) => `--${size} ${value}`),
      ...Object.entries(choices).map(([choice, words]) => `--${choice} ${words.join('|')}`),
    ]
    console.log(`${name.padEnd(14)} ${promise} (${options.join(' ')}: ${takes})`)
    console.log(`${''.padEnd(14)} --plant ${Object.keys(faults).join(', ')}`)
  }
}

async function run(name: string, args: readonly string[]): Promise<void> {
  const load = Object.hasOwn(proofs, name) ? proofs[name] : undefined
  if (load === undefined) {
    throw new UsageError(`There is no proof named ${JSON.stringify(name)}. Proofs: ${Object.keys(proofs).join(', ')}.`)
  }
  const { proof } = await load()
  const { choices = {} } = proof
  const { plant, ...given } = optionsOf(args, ['seed', ...Object.keys(proof.sizes), ...Object.keys(choices)])
  const chosen = chosenFrom(choices, given)
  const { seed, ...sizes } = numbers(given, { seed: randomInt(2 ** 32), ...proof.sizes })
  if (plant === undefined) await prove(name, proof, { seed: seed ?? 0, sizes, chosen })
  else await plantIn(name, proof, { plant, given, chosen })
}

/** The words that were chosen, or the first ones. */
function chosenFrom(
  choices: NonNullable<Proof['choices']>,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const chosen = Object.entries(choices).map(([choice, words]) => {
    const word = given[choice] ?? words[0]
    if (!words.includes(word)) throw new UsageError(`--${choice} must be one of ${words.join(', ')}.`)
    return [choice, word]
  })
  return Object.fromEntries(chosen) as Readonly<Record<string, string>>
}

async function prove(
  name: string,
  proof: Proof,
  { seed, sizes, chosen }: Pick<Run, 'seed' | 'sizes' | 'chosen'>,
): Promise<void> {
  const progress = (line: string): void => console.error(`${name}: ${line}`)
  const began = performance.now()
  const outcome = await proof
    .prove({ sizes, seed, chosen, progress })
    // A proof that did not finish has shown nothing.
    .catch((error: unknown) => ({ figures: {}, required: {}, error: explain(error) }))
  const failed = missed(outcome)
  const kept = failed.length === 0 && !('error' in outcome)
  const seconds = Math.round((performance.now() - began) / 1000)
  console.log(JSON.stringify({ proof: name, kept, ...sizes, ...chosen, seed, seconds, ...outcome, missed: failed }))
  if (!kept) process.exitCode = exit.missed
}

/** One fault of a proof, or all of them, a line of JSON for each. */
async function plantIn(
  name: string,
  proof: Proof,
  {
    plant,
    given,
    chosen,
  }: {
    readonly plant: string
    readonly given: Readonly<Record<string, string>>
    readonly chosen: Readonly<Record<string, string>>
  },
): Promise<void> {
  const picked = Object.entries(proof.faults).filter(([fault]) => plant === 'all' || plant === fault)
  if (picked.length === 0) {
    const known = Object.keys(proof.faults).join(', ')
    throw new UsageError(`${name} has no fault named ${JSON.stringify(plant)}. Faults: ${known}, or all.`)
  }
  const findings = await checkFaults({
    name,
    faults: Object.fromEntries(picked),
    args: [
      ...flagsOf(numbers(given, { seed: randomInt(2 ** 32), ...proof.sizes, ...proof.faultSizes })),
      ...Object.entries(chosen).flatMap(([choice, word]) => [`--${choice}`, word]),
    ],
    progress: console.error,
  })
  for (const finding of findings) console.log(JSON.stringify(finding))
  if (!findings.every(({ caught }) => caught)) process.exitCode = exit.missed
}

/** Every fault of every proof, as the table of SECURITY.md. */
async function plantAll(args: readonly string[]): Promise<void> {
  const { plant, ...given } = optionsOf(args, ['seed'])
  if (plant !== 'all') throw new UsageError('Without a proof there is only --plant all.')
  const findings: Finding[] = []
  for (const [name, load] of Object.entries(proofs)) {
    const { faults, sizes, faultSizes } = (await load()).proof
    const flags = flagsOf(numbers(given, { seed: randomInt(2 ** 32), ...sizes, ...faultSizes }))
    findings.push(...(await checkFaults({ name, faults, args: flags, progress: console.error })))
  }
  console.log(tableOfFindings(findings))
  if (!findings.every(({ caught }) => caught)) process.exitCode = exit.missed
}

function flagsOf(values: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)])
}

/** The given options and `plant`. */
function optionsOf(args: readonly string[], names: readonly string[]): Readonly<Record<string, string>> {
  const options = Object.fromEntries([...names, 'plant'].map((name) => [name, { type: 'string' as const }]))
  const { values } = parsed(() => parseArgs({ args: [...args], options, strict: true }))
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

/** Whole numbers that replace their defaults. */
function numbers(
  given: Readonly<Record<string, string>>,
  defaults: Readonly<Record<string, number | undefined>>,
): Readonly<Record<string, number>> {
  const entries = Object.entries(defaults).map(([name, otherwise]) => {
    const value = given[name]
    const least = name === 'seed' ? 0 : 1
    if (value !== undefined && !(/^\d{1,10}$/.test(value) && Number(value) >= least && Number(value) < 2 ** 32)) {
      throw new UsageError(`--${name} must be a whole number from ${least} up to ${2 ** 32 - 1}.`)
    }
    return [name, value === undefined ? otherwise : Number(value)]
  })
  return Object.fromEntries(entries) as Readonly<Record<string, number>>
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
