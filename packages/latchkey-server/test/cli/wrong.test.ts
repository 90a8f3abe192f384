// Commands that are wrong: what is said, what is suggested, and that nothing is done.

import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { completions } from '../../src/cli/completion.ts'
import { buildProgram } from '../../src/cli/program.ts'
import { workplace } from './running.ts'

const here = workplace()

const wrong: readonly (readonly [line: string, code: number, says: RegExp])[] = [
  ['', 2, /Name a command/],
  ['keys', 2, /Name a command/],
  ['key', 2, /Unknown command 'key'\.\nDid you mean keys\?\nSee latchkey --help/],
  ['keys iss', 2, /Did you mean issue\?\nSee latchkey keys --help/],
  ['keys re', 2, /Did you mean retire or revoke\?/],
  ['revoke', 2, /Did you mean latchkey keys revoke\?/],
  ['lsit', 2, /Did you mean latchkey keys list or latchkey owners list or latchkey refusals list\?/],
  ['keys lsit', 2, /Did you mean list\?/],
  ['rotat', 2, /Did you mean latchkey keys rotate or latchkey identity rotate\?/],
  ['verfiy', 2, /Did you mean verify\?/],
  ['sho', 2, /latchkey journal show or latchkey refusals show\?/],
  ['nonsense', 2, /^Unknown command 'nonsense'\.\nSee latchkey --help\.\n$/],
  ['help keys lsit', 2, /^Unknown command 'lsit'\.\nDid you mean list\?/],
  ['keys issue --nme x', 2, /Unknown option '--nme'\.\nDid you mean --name\?/],
  ['keys list extra', 2, /^Too many arguments: extra\. The command takes 0, and got 1\.\n/],
  ['keys show', 2, /^Name the <id>\.\n/],
  ['keys list --limit', 2, /^--limit needs a value: <number>\.\n/],
  ['keys list --limit 0', 2, /^The value '0' of --limit is invalid\. It must be a whole number from 1\.\n/],
  ['keys list --all --limit 5', 2, /^--all and --limit exclude each other\. Use one of them\.\n/],
  ['completion ksh', 2, /^The value 'ksh' of <shell> is invalid\. It must be one of bash, zsh, fish\.\n/],
  ['keys issue --name x', 2, /needs --name, --owner and --scope/],
  ['keys issue --create --name x --owner x', 2, /^A new key needs --scope/],
  ['keys issue --name x --owner x --scope orders:read --limit burst', 2, /name=count\/window/],
  ['keys issue --name x --owner x --scope orders:read --expires tomorrow', 2, /a time with its offset/],
  ['keys issue --create --name x --owner x --scope no:such', 2, /"no:such" is not declared/],
  ['keys revoke key_1', 2, /^Add --reason <reason>\. It must be one of compromised, /],
  ['keys issue --name x --owner x --scope orders:read --give-all-owners', 2, /^Only an admin key manages keys\./],
  [
    'keys revoke key_1 --reason because',
    2,
    /^The value 'because' of --reason is invalid\. It must be one of compromised/,
  ],
  ['verify --address banana', 2, /It must be an IP address/],
  ['verify --address 192.0.2.0/24', 2, /It must be an IP address/],
]

test('each wrong command has its exit code and says what is wrong, on stderr', async () => {
  await Promise.all(
    wrong.map(async ([line, code, says]) => {
      const ran = await here.run(line === '' ? [] : line.split(' '))
      assert.equal(ran.code, code, `${line}: ${ran.stderr}`)
      assert.match(ran.stderr, says, line)
      assert.equal(ran.stdout, '', line)
    }),
  )
})

test('help is asked for in every way that people try, and is the same', async () => {
  const spellings: readonly (readonly string[])[] = [
    ['--help', '-h', 'help'],
    ['keys --help', 'keys -h', 'help keys', 'keys help'],
    ['keys list --help', 'keys list -h', 'help keys list', 'keys help list'],
  ]
  for (const lines of spellings) {
    const shown = await Promise.all(lines.map((line) => here.run(line.split(' '))))
    for (const { code, stdout, stderr } of shown) assert.deepEqual([code, stdout, stderr], [0, shown[0]?.stdout, ''])
    assert.match(shown[0]?.stdout ?? '', /^Usage: latchkey /)
  }
  assert.equal(await here.done(['-v']), await here.done(['--version']))
})

test('a wrong command makes no database, and reading makes none either', async () => {
  const there = workplace()
  const { code, stderr } = await there.run(['keys', 'list'])
  assert.equal(code, 69)
  assert.match(stderr, /^There is no database at data\/latchkey\.db\./)
  const issue = 'keys issue --name x --owner x --scope orders:read'
  const lines: Readonly<Record<string, number>> = {
    'keys issue --nme x': 2,
    [issue]: 69,
    [`${issue} --scope no:such --create`]: 2,
    'keys import': 69,
    'keys revoke key_1 --reason other --yes': 69,
    'owners change acme --disable': 69,
    'backup copy.db': 69,
    migrate: 69,
    'verify --spend': 69,
  }
  for (const [line, expected] of Object.entries(lines)) {
    const ran = await there.run(line.split(' '), { input: 'x' })
    assert.equal(ran.code, expected, `${line}: ${ran.stderr}`)
    assert.equal(statSync(join(there.folder, 'data'), { throwIfNoEntry: false }), undefined, line)
  }
  await there.done([...issue.split(' '), '--create'])
  await there.done([...issue.split(' '), '--create'])
  assert.equal((await there.done(['keys', 'list', '--json'])).split('\n').length, 2)
})

describe('completion', () => {
  const program = buildProgram('1.0.0')

  test('offers commands, flags and the values of flags', () => {
    assert.deepEqual(completions(program, ['ke']), ['keys'])
    assert.deepEqual(completions(program, ['keys', 're']), ['retire', 'revoke'].toSorted())
    assert.deepEqual(completions(program, ['keys', 'revoke', '--rea']), ['--reason'])
    assert.deepEqual(completions(program, ['keys', 'revoke', '--reason', 'com']), ['compromised'])
    assert.deepEqual(completions(program, ['keys', 'list', '--owner', '']), [])
    assert.deepEqual(completions(program, ['keys', 'change', '--clear', 'e']), ['expires'])
    assert.deepEqual(completions(program, ['completion', '']), ['bash', 'zsh', 'fish'])
    assert.ok(!completions(program, ['']).includes('complete'), 'what is not for people is not offered')
  })

  test('the script for bash works in bash', async () => {
    const script = await here.done(['completion', 'bash'])
    assert.match(script, /complete -o default -F _latchkey latchkey/)
    assert.deepEqual((await here.done(['complete', '--', 'keys', 'rev'])).split('\n'), ['revoke'])
    for (const shell of ['zsh', 'fish']) assert.match(await here.done(['completion', shell]), /latchkey complete --/)
  })
})
