import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openMetrics } from '../../../src/http/hooks/metrics.ts'

test('of two servers in a process each counts its own, and both tell of the process, which is measured once', async (context) => {
  const first = openMetrics()
  // What measures the process goes by timers that never end: a server that was closed must not leave some behind.
  const timers = context.mock.method(globalThis, 'setInterval')
  const second = openMetrics()
  assert.equal(timers.mock.callCount(), 0)
  first.unrouted({ method: 'GET', status: 408 })
  const counted = 'latchkey_http_requests_total{route="none",method="GET",status="408"} 1'
  const started = /^process_start_time_seconds \d+/m
  const [one, other] = [await first.text(), await second.text()]
  assert.ok(one.includes(counted))
  assert.ok(!other.includes(counted))
  assert.equal(started.exec(one)?.[0], started.exec(other)?.[0])
  assert.match(other, started)
})
