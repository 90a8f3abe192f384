// Faults that proofs must find are planted in copies of the sources. Here: that every fault still fits them, and that
// some are found at a size that takes seconds. `npm run prove -- --plant all` is all of them.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { checkFaults } from '../faults.ts'
import { planted } from '../plant.ts'
import { proofs } from '../proofs.ts'

const root = dirname(dirname(import.meta.dirname))

for (const [name, load] of Object.entries(proofs)) {
  test(`every fault that ${name} must find fits the sources as they are`, async () => {
    const { faults } = (await load()).proof
    assert.notEqual(Object.keys(faults).length, 0)
    for (const { edits } of Object.values(faults)) {
      for (const edit of edits) assert.notEqual(planted(edit), readFileSync(join(root, edit.file), 'utf8'))
    }
  })
}

test('SECURITY.md has a row for every fault, in words as they are, and none for one that is gone', async () => {
  const [, section = ''] = readFileSync(join(root, 'SECURITY.md'), 'utf8').split('## Proofs\n')
  const rows = section.split('\n## ', 1)[0]!.matchAll(/^\| `([a-z-]+)` +\| `([a-z-]+)` +\| (.*?) +\| (.*?) +\|$/gm)
  const told = Array.from(rows, ([, proof, fault, is, found]) => {
    assert.match(found!, /^`\w+` [\d.]+/, `${proof} finds ${fault}`)
    return `${proof} ${fault}: ${is}`
  })
  const faults = await Promise.all(
    Object.entries(proofs).map(async ([name, load]) => {
      return Object.entries((await load()).proof.faults).map(([fault, { is }]) => `${name} ${fault}: ${is}`)
    }),
  )
  assert.deepEqual(told.toSorted(), faults.flat().toSorted())
})

test('a text that does not stand in the sources exactly once is not planted', () => {
  const file = 'package.json'
  assert.throws(() => planted({ file, text: 'nowhere to be found', becomes: '' }), /no longer fits .* stands nowhere/)
  assert.throws(() => planted({ file, text: '"', becomes: '' }), /no longer fits .* times in package.json/)
})

const small: Readonly<Record<string, { readonly fault: string; readonly args: readonly string[] }>> = {
  'journal-tamper': { fault: 'checkpoint-not-compared', args: ['--seed', '1', '--n', '60', '--rows', '1'] },
  rotate: { fault: 'ends-late', args: ['--seed', '1', '--n', '1', '--turned', '40', '--real', '1'] },
}

for (const [name, { fault, args }] of Object.entries(small)) {
  test(`${name} finds ${fault} in a copy of the sources`, async () => {
    const { faults } = (await proofs[name]!()).proof
    const chosen = { [fault]: faults[fault]! }
    const findings = await checkFaults({ name, faults: chosen, args, progress() {} })
    assert.deepEqual(
      findings.map((found) => [found.fault, found.caught, found.error]),
      [[fault, true, undefined]],
    )
  })
}
