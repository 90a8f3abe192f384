import type { Command } from 'commander'
import type { Refused, Verdict } from 'latchkey'
import { keyringCommand } from './command.ts'
import { Failure } from './exit.ts'
import { count, ipAddress, words } from './input/flags.ts'
import { defined } from './input/defined.ts'
import { secretFromEnvironment, secretFromInput } from './input/secrets.ts'
import { iso } from './input/when.ts'
import { putJson } from './json.ts'
import { inFlags } from './named-flags.ts'
import type { TargetOptions } from './target.ts'
import { withKeyring } from './target.ts'
import { askForSecret } from './terminal/ask.ts'
import { putFacts } from './terminal/table.ts'

interface Options extends TargetOptions {
  readonly environment?: readonly string[]
  readonly anyEnvironment?: boolean
  readonly scope?: readonly string[]
  readonly anyScope?: readonly string[]
  readonly address?: string
  readonly cost?: number
  readonly spend?: boolean
}

export function verifyCommand(program: Command): void {
  keyringCommand(
    program,
    'verify',
    'Check whether a secret is accepted, and if not, why. It comes from LATCHKEY_CREDENTIAL or standard input',
  )
    .option(
      '--environment <names>',
      'Environments that the route takes (the first one), with commas between them',
      words,
    )
    .option('--any-environment', 'The route takes whichever environment; the answer says which it is')
    .option('--scope <scopes>', 'Scopes that the route requires, all of them', words)
    .option('--any-scope <scopes>', 'Scopes of which the route requires at least one', words)
    .option('--address <address>', 'Address that the call comes from', ipAddress)
    .option('--cost <number>', 'What the call costs (1)', count)
    .option('--spend', 'Count the call. Without this, limits and quota stay as they are')
    .action(async (options: Options) => {
      const { scope, anyScope, address, cost, spend, json } = options
      const credential = await credentialToVerify()
      const requirement = defined({ environment: environmentIn(options), allOf: scope, anyOf: anyScope, cost })
      const call = { dryRun: spend !== true, ...defined({ ip: address }) }
      const mode = spend === true ? 'write' : 'read'
      const { verdict, undeclared } = await withKeyring(options, { mode, counts: true }, async (target) => {
        if (target.undeclared && (scope ?? anyScope) !== undefined) throw nobodySaid()
        return { verdict: await target.keyring.verify(credential, requirement, call), undeclared: target.undeclared }
      })
      if (!verdict.ok && verdict.refusal.code === 'unavailable') throw unavailable(verdict, options)
      if (json === true) putJson(shown(verdict))
      else putFacts(factsOf(verdict, undeclared))
      if (!verdict.ok) process.exitCode = 1
    })
}

function environmentIn({ environment, anyEnvironment }: Options): string | readonly string[] | null | undefined {
  if (anyEnvironment !== true) return environment?.length === 1 ? environment[0] : environment
  if (environment !== undefined) throw new Failure('usage', 'Use one of --environment and --any-environment.')
  return null
}

/** The secret from the environment, from the terminal, or from a pipe; never from the arguments. */
async function credentialToVerify(): Promise<string> {
  const set = secretFromEnvironment('LATCHKEY_CREDENTIAL')
  return set ?? (await askForSecret('Secret')) ?? secretFromInput(process.stdin)
}

/** Without declared scopes, the command cannot say whether a key has one. */
function nobodySaid(): Failure {
  return new Failure(
    'settings',
    'No scopes are declared in this database, so no scope can be checked. Name the file that declares them (--scopes, LATCHKEY_SCOPES_FILE), or start the application that declares them.',
  )
}

/** An impossible question, or a database that does not answer: neither is a verdict. */
function unavailable({ cause }: Refused, options: Options): unknown {
  const { name, code } = (cause ?? {}) as { readonly name?: unknown; readonly code?: unknown }
  if (name === 'LatchkeyError' && (code === 'invalid_input' || code === 'unknown_scope')) return inFlags(cause, options)
  const reason = cause instanceof Error ? cause.message : 'The database did not answer.'
  return new Failure('unavailable', `The secret cannot be checked: ${reason}`, { cause })
}

/** The verdict without the error behind it, which programs do not need. */
function shown(verdict: Verdict): object {
  if (verdict.ok) return verdict
  const { refusal, cause: _cause, ...more } = verdict
  return { ...more, code: refusal.code, step: refusal.step, why: refusal.why, answer: refusal.answer }
}

function factsOf(verdict: Verdict, undeclared: boolean): readonly (readonly [string, string | undefined])[] {
  const limits = verdict.limits?.map(({ name, remaining, limit, exceeded }): readonly [string, string] => {
    return [name, `${remaining} of ${limit} left${exceeded ? ', exceeded' : ''}`]
  })
  if (verdict.ok) {
    const { key, retiring } = verdict
    return [
      ['verdict', 'accepted'],
      ['key', key.id],
      ['name', key.name],
      ['owner', key.owner],
      ['environment', key.environment],
      ['scopes', undeclared ? 'unknown: no scopes are declared in this database' : key.scopes.join(', ') || 'none'],
      ['old secret', retiring === undefined ? undefined : `works until ${iso(retiring.until)}`],
      ...(limits ?? []),
    ]
  }
  const { code, why, step, answer } = verdict.refusal
  return [
    ['verdict', 'refused'],
    ['code', code],
    ['why', why],
    ['step', step],
    ['caller reads', `${answer.status} ${answer.code}: ${answer.detail}`],
    ['key', verdict.keyId],
    ['owner', verdict.owner],
    ['missing scopes', verdict.missing?.join(', ')],
    ['refused by', verdict.limit?.name],
    ['retry after', verdict.retryAfter === undefined ? undefined : `${verdict.retryAfter} s`],
    ...(limits ?? []),
  ]
}
