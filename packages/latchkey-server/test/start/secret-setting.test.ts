import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { secretSetting } from '../../src/start.ts'

const folder = temporaryFolder('secret')

function fileWith(content: string | Uint8Array, name = 'secret'): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

test('the secret is in the variable, or in the file, whose last line break is no part of it', () => {
  assert.equal(secretSetting('KEY', {}), undefined)
  assert.equal(secretSetting('KEY', { KEY: '', KEY_FILE: '' }), undefined)
  assert.equal(secretSetting('KEY', { KEY: 's3cret' }), 's3cret')
  for (const [content, secret] of [
    ['s3cret', 's3cret'],
    ['s3cret\n', 's3cret'],
    ['s3cret\r\n', 's3cret'],
    ['s3cret\n\n', 's3cret\n'],
    [' s3cret ', ' s3cret '],
    ['x'.repeat(4096), 'x'.repeat(4096)],
  ] as const) {
    assert.equal(secretSetting('KEY', { KEY: '', KEY_FILE: fileWith(content) }), secret)
  }
  // As Kubernetes has it: a link to a file in a folder that it exchanges.
  symlinkSync(fileWith('s3cret'), join(folder, 'link'))
  assert.equal(secretSetting('KEY', { KEY_FILE: join(folder, 'link') }), 's3cret')
})

test('both at once is an error that names both and neither value', () => {
  const both = { KEY: 's3cret', KEY_FILE: fileWith('s3cret') }
  assert.throws(() => secretSetting('KEY', both), {
    message: 'KEY and KEY_FILE are both set: set one of them.',
  })
})

test('what is no file of a secret is an error that names the setting and not its value', () => {
  mkdirSync(join(folder, 'd1r'))
  execFileSync('mkfifo', [join(folder, 'p1pe')])
  for (const [path, why] of [
    [join(folder, 's3cret-missing'), 'and there is none'],
    [join(folder, 'secret', 's3cret'), 'and it cannot be read'],
    ['s3cret\0', 'and it cannot be read'],
    [join(folder, 'd1r'), 'and what is there is no file'],
    [join(folder, 'p1pe'), 'and what is there is no file'],
    ['/dev/zero', 'and what is there is no file'],
    [fileWith('', 'empty'), 'and that one is empty'],
    [fileWith('\n', 'line'), 'and that one is empty'],
    [fileWith('x'.repeat(4097), 'large'), 'and that one has more than 4096 bytes'],
    [fileWith(Uint8Array.of(0x73, 0xff, 0x74), 'latin'), 'and that one is not in UTF-8'],
  ] as const) {
    fileWith('s3cret')
    assert.throws(() => secretSetting('KEY', { KEY_FILE: path }), {
      message: `KEY_FILE must be the path of a file with the secret in it, ${why}.`,
    })
  }
})
