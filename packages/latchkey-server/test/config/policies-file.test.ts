import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { forwardAuthAddress } from '../../src/config/forward-auth-address.ts'
import { readPoliciesFile } from '../../src/config/policies-file.ts'

const file = join(temporaryFolder('policies'), 'policies.json')

function faultOf(content: string): string | undefined {
  writeFileSync(file, content)
  return readPoliciesFile(file).must
}

test('a file with policies is read as it stands', () => {
  const policies = {
    process: { scopes: ['process:run'], environment: 'live', cost: 0, audience: 'https://a.example', passScopes: [] },
    'any-key': { scopes: 'any', environment: ['live', 'test'], credential: 'either' },
  }
  writeFileSync(file, JSON.stringify(policies))
  assert.deepEqual(readPoliciesFile(file), { policies, must: undefined })
})

test('what does not fit is named by policy and member, and no value is repeated', () => {
  const known = 'scopes, environment, cost, credential, audience, passScopes'
  const cases: Readonly<Record<string, string>> = {
    '{}': 'such as { "process": { "scopes": ["process:run"] } }: names of policies, and an object for each',
    '[]': 'such as { "process": { "scopes": ["process:run"] } }: names of policies, and an object for each',
    '{"S3cret":{}}': 'in which the names of policies are of lower-case letters, digits and -, and one is not',
    '{"__proto__":{}}': 'in which the names of policies are of lower-case letters, digits and -, and one is not',
    '{"a":1}': `in which a is a policy, and it is no object with ${known}`,
    '{"a":{}}': 'in which a is a policy, and it has no scopes: names of scopes, at least one, or "any"',
    '{"a":{"scopes":[]}}': 'in which a is a policy, and its scopes is not names of scopes, at least one, or "any"',
    '{"a":{"scopes":["s3cret"]}}':
      'in which a is a policy, and its scopes is not names of scopes, at least one, or "any"',
    '{"a":{"scope":["a:b"]}}': `in which a is a policy, and scope is none of ${known}`,
    '{"a":{"lk_live_s3cret1":1}}': `in which a is a policy, and one of its members is none of ${known}`,
    '{"a":{"constructor":1}}': `in which a is a policy, and constructor is none of ${known}`,
    '{"a":{"scopes":"any","cost":-1}}': 'in which a is a policy, and its cost is not a whole number from 0 to 1000000',
    '{"a":{"scopes":"any","cost":"1"}}': 'in which a is a policy, and its cost is not a whole number from 0 to 1000000',
    '{"a":{"scopes":"any","environment":[]}}':
      'in which a is a policy, and its environment is not an environment, or a list of some',
    '{"a":{"scopes":"any","audience":"s3 cret"}}':
      'in which a is a policy, and its audience is not 1 to 120 visible ASCII characters',
    '{"a":{"scopes":"any","credential":"cookie"}}':
      'in which a is a policy, and its credential is not header, bearer or either',
    '{"a":{"scopes":"any","scopes":"any"}}': 'with each name once, and scopes stands in it twice',
  }
  for (const [content, must] of Object.entries(cases)) {
    const fault = faultOf(content)
    assert.ok(fault === `the path of a file ${must}`, `${content}: ${fault}`)
    assert.ok(!/s3/i.test(fault))
  }
})

test('an address for proxies is a socket, or a host and a port', () => {
  assert.deepEqual(forwardAuthAddress('unix:/run/a.sock'), { path: '/run/a.sock' })
  assert.deepEqual(forwardAuthAddress('127.0.0.1:8081'), { host: '127.0.0.1', port: 8081 })
  assert.deepEqual(forwardAuthAddress('[::1]:0'), { host: '::1', port: 0 })
  assert.deepEqual(forwardAuthAddress('localhost:81'), { host: 'localhost', port: 81 })
  for (const text of [
    '',
    'unix:',
    `unix:${'a'.repeat(104)}`,
    'unix:a\0b',
    '8081',
    ':8081',
    '::1:8081',
    'a:65536',
    'http://a:1',
  ]) {
    assert.equal(forwardAuthAddress(text), undefined, text)
  }
})
