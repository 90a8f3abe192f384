// What goes where: answers to stdout, everything else to stderr, and nothing that surprises a program.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { skipUnless } from '../../../../test/machine.ts'
import { command, jsonLines, secretPattern, workplace } from './running.ts'

const execute = promisify(execFile)
const here = workplace()
const { run, done, environment, folder } = here
const issue = ['keys', 'issue', '--create', '--name', 'Key', '--owner', 'acme', '--scope', 'orders:read']
await done(issue)

const shell = async (line: string, env: Readonly<Record<string, string>> = {}) =>
  execute('bash', ['-c', line.replaceAll('latchkey', command.map((word) => `'${word}'`).join(' '))], {
    cwd: folder,
    env: { ...environment, ...env },
  }).catch((error: { code: number; stdout: string; stderr: string }) => error)

test('outside a terminal there is no colour and no table, whatever TERM says', async () => {
  for (const values of [['keys', 'list'], ['doctor'], ['journal', 'verify']]) {
    const { stdout, stderr } = await run(values, { env: { TERM: 'xterm-256color' } })
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(stdout + stderr, /\u001b/, values.join(' '))
    assert.doesNotMatch(stdout, /[│┌]/)
  }
})

test('a reader that stops reading is no fault', async () => {
  const many = Array.from(
    { length: 300 },
    (_, index) =>
      `{"name":"k${index}","owner":"many","scopes":[],"hash":"${index.toString(16).padStart(64, '0')}","bits":128}`,
  )
  await done(['keys', 'import'], { input: many.join('\n') })
  const { stdout, stderr } = await shell('set -o pipefail; latchkey keys list --all --json | head -1; echo "exit $?"')
  assert.match(stdout, /^\{.*\}\nexit 0\n$/)
  assert.equal(stderr, '')
})

test(
  'a secret that nobody could take is said to be lost',
  { skip: skipUnless(existsSync('/dev/full'), 'there is no /dev/full') },
  async () => {
    const full = await shell('latchkey keys issue --name Lost --owner acme --scope orders:read > /dev/full')
    assert.equal((full as { code?: number }).code, 1)
    assert.match(
      full.stderr,
      /secret could not be written \(ENOSPC\), so nobody has it. To replace it:\n  latchkey keys rotate key_\w+ --replace\n/,
    )
    // The reader has gone before anything is written.
    const closed = await shell(
      'exec 3> >(exit 0); wait $!; latchkey keys issue --name Lost --owner acme --scope orders:read >&3',
    )
    assert.equal((closed as { code?: number }).code, 1)
    assert.match(closed.stderr, /could not be written \(EPIPE\)/)
  },
)

test('JSON is one document a line, with times in ISO 8601', async () => {
  const lines = jsonLines(await done(['keys', 'list', '--all', '--json']))
  assert.ok(lines.length > 1)
  for (const { createdAt } of lines) assert.equal(new Date(String(createdAt)).toISOString(), createdAt)
})

test(
  'no secret is ever in the list of processes, and none that was read is handed on',
  { skip: skipUnless(existsSync('/proc/self/cmdline'), 'there is no /proc') },
  async () => {
    const secret = await done(issue)
    const [program = '', ...before] = command
    const child = spawn(program, [...before, 'verify', '--json'], { cwd: folder, env: { ...environment } })
    child.stdin.write(secret)
    const own = `/proc/${child.pid}/`
    while (!readlinkSync(`${own}exe`).includes('node')) continue
    assert.doesNotMatch(readFileSync(`${own}cmdline`, 'utf8'), secretPattern)
    child.stdin.end('\n')
    const [code] = (await once(child, 'close')) as [number]
    assert.equal(code, 0)
  },
)

test('an argument with a secret in it is refused before anything is done, and is not repeated', async () => {
  const secret = await done(issue)
  const [program = '', ...before] = command
  for (const values of [
    ['verify', secret],
    ['keys', 'list', '--text', secret],
    ['keys', 'show', `id=${secret}`],
  ]) {
    const { code, stdout, stderr } = await execute(program, [...before, ...values], {
      cwd: folder,
      env: environment,
    }).then(
      (ran) => ({ ...ran, code: 0 }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    )
    assert.equal(code, 2)
    assert.match(stderr, /looks like a secret/)
    assert.doesNotMatch(stdout + stderr, secretPattern)
  }
})

test('neither a name nor metadata can play with the terminal of the reader of the key', async () => {
  const refused = await run(issue.with(issue.indexOf('Key'), 'evil\u202egnp.exe'))
  assert.deepEqual([refused.code, refused.stdout], [2, ''])
  assert.doesNotMatch(refused.stderr, /\u202e/)
  await done([...issue, '--metadata', 'file=evil\u202egnp.exe', '--json'])
  const [newest] = jsonLines(await done(['keys', 'list', '--limit', '1', '--json']))
  const shown = await done(['keys', 'show', String(newest?.['id'])])
  assert.match(shown, /evil/)
  assert.doesNotMatch(shown, /\u202e/)
})

test('help goes to stdout when it was asked for, and to stderr when something is missing', async () => {
  const [asked, missing] = await Promise.all([run(['keys', '--help']), run(['keys'])])
  assert.deepEqual([asked.code, asked.stderr], [0, ''])
  assert.match(asked.stdout, /^Usage: latchkey keys/)
  assert.deepEqual([missing.code, missing.stdout], [2, ''])
  assert.match(missing.stderr, /^Usage: latchkey keys/)
})
