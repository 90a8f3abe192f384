import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import { serverLogger } from '../src/log.ts'

async function logged(isTTY: boolean): Promise<string> {
  let text = ''
  const output = { isTTY, write: (line: string) => (text += line) }
  const app = Fastify({ logger: serverLogger({ logLevel: 'info' }, output) })
  app.get('/orders/:id', (request) => {
    request.log.error({ err: new Error('the disk is gone'), keyId: 'key_1' }, 'failed')
    return {}
  })
  await app.inject('/orders/5?api_key=s3cret')
  await app.close()
  return text
}

test('outside a terminal every line is JSON, and none has the address', async () => {
  const text = await logged(false)
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.ok(lines.some(({ err }) => err?.message === 'the disk is gone'))
  assert.ok(!text.includes('s3cret') && !text.includes('/orders/5'))
})

test('in a terminal a line is what a person reads, with the stack of what failed', async () => {
  const text = await logged(true)
  assert.match(text, /^\d\d:\d\d:\d\d info  incoming request/m)
  assert.match(text, /^\d\d:\d\d:\d\d error failed reqId=\S+ keyId=key_1\nError: the disk is gone\n {4}at /m)
  assert.ok(!text.includes('s3cret') && !text.includes('/orders/5') && !text.includes('{"level"'))
})
