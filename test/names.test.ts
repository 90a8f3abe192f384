// `check/names.ts` finds the names that were replaced, and nothing that only looks like one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oldNames } from '../check/names.ts'

const file = 'packages/latchkey/src/own.ts'

test('an old name is found with its line and what to write, wherever it stands in the code', () => {
  assert.deepEqual(oldNames(file, '\nexport const moment = 1\n'), [`${file}:2: moment; write timestamp`])
  for (const source of [
    'export interface Demand { readonly cost: number }',
    'export interface Report { readonly whole: boolean }',
    'export function recent<Found>(one: Found): void {}',
    'export const first = ([wanted]: string[]) => 1',
    'export const text = (report: any) => `the report is ${report.whole}`',
    'export class Report { #told = 1 }',
    "import { plain as printable } from './print.ts'",
  ])
    assert.notEqual(oldNames(file, source).length, 0, source)
})

test('a file with an old name is found', () => {
  assert.deepEqual(oldNames('packages/latchkey/src/given.ts', ''), [
    'packages/latchkey/src/given.ts:1: given; write what it holds',
  ])
})

test('comments, texts and longer names are free', () => {
  const source = "// moment\nexport const momentAhead = 'moment' /* told */\nexport const match = /given/"
  assert.deepEqual(oldNames(file, source), [])
})

test('only the command that verifies the journal has the old flag --anchor, and no other old name', () => {
  const verify = 'packages/latchkey-server/src/cli/journal/verify.ts'
  assert.deepEqual(oldNames(verify, 'export const anchor = 1'), [])
  assert.equal(oldNames(verify, 'export const seal = 1').length, 1)
  assert.equal(oldNames(file, 'export const anchor = 1').length, 1)
})
