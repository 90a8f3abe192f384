// Proofs take minutes and are run by hand. They must keep up with the code, so each is run here at a size that takes
// seconds, and must find nothing wrong. Whether enough was tried is checked only at the full size.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { noCaddy, noHaproxy, noNginx } from '../../test/machine.ts'
import type { Outcome } from '../proofs/proof.ts'

const root = dirname(dirname(import.meta.dirname))

/** Those whose figures are of time are left out: a busy machine would miss them. */
const small: Readonly<Record<string, readonly string[]>> = {
  authority: ['--n', '12', '--changes', '16'],
  crash: ['--n', '8'],
  drain: ['--n', '2'],
  erasure: ['--n', '3'],
  'forward-auth': ['--n', '90'],
  fuzz: ['--n', '2000', '--requests', '200'],
  'journal-tamper': ['--n', '200', '--rows', '200'],
  outage: ['--n', '1'],
  quota: ['--n', '2', '--quota', '100', '--tries', '400'],
  refusals: ['--n', '20000', '--keys', '5', '--each', '3'],
  revoke: ['--n', '24'],
  soak: ['--n', '500', '--duration', '2'],
  sim: ['--n', '15'],
  window: ['--n', '10000'],
  rotate: ['--n', '2', '--turned', '100', '--real', '40'],
}

/** What the machine must have. */
const needs: Readonly<Record<string, () => string | false>> = {
  'forward-auth': () => noNginx() || noCaddy() || noHaproxy(),
}

for (const [name, sizes] of Object.entries(small)) {
  const skip = needs[name]?.() ?? false
  test(`the proof ${name} finds nothing wrong at a small size`, { skip }, async () => {
    const args = ['--conditions=@latchkey/source', 'bench/prove.ts', name, ...sizes]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root }).catch(
      (error: { stdout: string }) => error,
    )
    const outcome = JSON.parse(stdout) as Outcome & { readonly missed: readonly string[]; readonly error?: string }
    assert.equal(outcome.error, undefined)
    const wrong = outcome.missed.filter((figure) => 'is' in (outcome.required[figure] ?? {}))
    assert.deepEqual(wrong, [], stdout)
  })
}
