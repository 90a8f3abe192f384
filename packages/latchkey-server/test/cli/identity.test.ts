import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readIdentityFile } from '../../src/identity/key-file.ts'
import { workplace } from './running.ts'

const rotate = ['identity', 'rotate', '--identity-file', 'identity.json']

test('a key that signs identities is made and rotated in a file that only its owner reads', async () => {
  const { folder, run } = workplace()
  const file = join(folder, 'identity.json')
  const first = await run([...rotate, '--issuer', 'https://keys.example'])
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stderr, /^The key [\w-]{43} in identity\.json signs from now on\.\n$/)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const second = await run([...rotate, '--json'])
  const { kid, signsFrom, keys } = JSON.parse(second.stdout) as { kid: string; signsFrom: string; keys: number }
  assert.equal(keys, 2)
  const { found } = readIdentityFile(file)
  assert.equal(found?.issuer, 'https://keys.example')
  assert.deepEqual(found.keys.at(-1)?.public.kid, kid)
  assert.equal(Date.parse(signsFrom), (found.keys.at(-1)?.createdAt ?? 0) + 600_000)
  assert.ok(!second.stdout.includes((JSON.parse(readFileSync(file, 'utf8')) as { keys: { d: string }[] }).keys[1]!.d))

  const third = await run(rotate)
  assert.deepEqual([third.code, third.stderr.includes(`it signs from ${signsFrom} on`)], [4, true])
  assert.equal((await run([...rotate, '--issuer', 'other'])).code, 4)
  assert.equal((await run([...rotate, '--compromised'])).code, 0)
  assert.equal(readIdentityFile(file).found?.keys.length, 1)
  assert.equal(readIdentityFile(file).found?.issuer, 'https://keys.example')
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('identity')),
    ['identity.json'],
  )
})

test('a rotation replaces the file where a link leads, and leaves it to those who could read it', async () => {
  const { folder, run } = workplace()
  const [link, file] = [join(folder, 'identity.json'), join(folder, 'shared.json')]
  assert.equal((await run(['identity', 'rotate', '--identity-file', 'shared.json'])).code, 0)
  symlinkSync('shared.json', link)
  chmodSync(file, 0o640)
  // Only root can give a file away.
  const others = process.getuid?.() === 0 ? 12_345 : statSync(file).uid
  chownSync(file, others, statSync(file).gid)
  assert.equal((await run(rotate)).code, 0)
  assert.ok(lstatSync(link).isSymbolicLink())
  assert.equal(readIdentityFile(file).found?.keys.length, 2)
  const { uid, mode } = statSync(file)
  assert.deepEqual([uid, mode & 0o777], [others, 0o640])
})

test('a file that others may read, or that is none of ours, is refused and not replaced', async () => {
  const { folder, run } = workplace()
  const file = join(folder, 'identity.json')
  assert.equal((await run(rotate)).code, 0)
  chmodSync(file, 0o644)
  const open = await run(rotate)
  assert.equal(open.code, 1)
  assert.match(open.stderr, /mode 600/)
  for (const content of [
    '',
    '{}',
    '{"issuer":"a","keys":[]}',
    '{"issuer":"a","keys":[{"createdAt":1,"x":"a","d":"b"}]}',
  ]) {
    writeFileSync(file, content, { mode: 0o600 })
    chmodSync(file, 0o600)
    const other = await run(rotate)
    assert.equal(other.code, 1, content)
    assert.equal(readFileSync(file, 'utf8'), content)
  }
  assert.equal((await run(['identity', 'rotate'])).code, 2)
})
