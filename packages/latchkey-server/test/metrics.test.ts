import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHistogram } from '../src/metrics/histogram.ts'
import { processMetrics } from '../src/metrics/process.ts'
import { textOf } from '../src/metrics/text.ts'

test('a histogram counts each value in every bucket that it is not above', () => {
  const histogram = openHistogram([0.1, 1])
  for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe(value)
  assert.equal(
    textOf([{ name: 'a_seconds', help: 'Time', type: 'histogram', samples: histogram.samples({ route: '/a' }) }]),
    [
      '# HELP a_seconds Time',
      '# TYPE a_seconds histogram',
      'a_seconds_bucket{le="0.1",route="/a"} 2',
      'a_seconds_bucket{le="1",route="/a"} 3',
      'a_seconds_bucket{le="+Inf",route="/a"} 4',
      'a_seconds_sum{route="/a"} 7.65',
      'a_seconds_count{route="/a"} 4',
      '',
    ].join('\n'),
  )
})

test('the value of a label cannot end the label', () => {
  const samples = [{ labels: { route: '/a"} 1\nb\\' }, value: 2 }]
  const text = textOf([{ name: 'a', help: 'A', type: 'gauge', samples }])
  assert.ok(text.includes(String.raw`a{route="/a\"} 1\nb\\"} 2`), text)
})

test('the process tells of itself in numbers that its owner can believe', async () => {
  const values = new Map<string, number>()
  for (const { name, samples } of await processMetrics()()) {
    for (const { value, suffix = '' } of samples) {
      assert.ok(Number.isFinite(value) && value >= 0, `${name}${suffix} ${value}`)
      values.set(name, value)
    }
  }
  const told = (name: string): number => values.get(name) ?? assert.fail(name)
  assert.ok(Math.abs(told('process_start_time_seconds') - Date.now() / 1000) < 3600)
  const { rss } = process.memoryUsage()
  assert.ok(told('process_resident_memory_bytes') > rss / 2 && told('process_resident_memory_bytes') < rss * 2)
  assert.ok(told('nodejs_eventloop_utilization') <= 1)
  assert.equal(processMetrics(), processMetrics(), 'the process is watched once')
})
