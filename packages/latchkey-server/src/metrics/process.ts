import { readdirSync, readFileSync } from 'node:fs'
import { constants, monitorEventLoopDelay, performance, PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics } from 'node:v8'
import type { Histogram } from './histogram.ts'
import { openHistogram } from './histogram.ts'
import type { Metric, Sample } from './text.ts'

// The names are those that dashboards for Node know.

/** Reads the metrics of the process and of Node. */
export type ProcessMetrics = () => Promise<readonly Metric[]>

let opened: ProcessMetrics | undefined

/** The metrics of this process, which is watched from the first call on. */
export function processMetrics(): ProcessMetrics {
  return (opened ??= watch())
}

function watch(): ProcessMetrics {
  const garbage = watchGarbage()
  const loop = watchLoop()
  return async () => [
    ...cpu(),
    ...memory(),
    ...files(),
    ...(await loop()),
    ...resources(),
    ...heap(),
    version(),
    garbage(),
  ]
}

function cpu(): readonly Metric[] {
  const { user, system } = process.cpuUsage()
  const started = (performance.timeOrigin / 1000).toFixed(3)
  return [
    counter('process_cpu_user_seconds_total', 'Processor time of the program itself', user / 1e6),
    counter('process_cpu_system_seconds_total', 'Processor time of the operating system on its behalf', system / 1e6),
    counter('process_cpu_seconds_total', 'Processor time', (user + system) / 1e6),
    gauge('process_start_time_seconds', 'When the process began, in seconds since 1970', Number(started)),
  ]
}

function memory(): readonly Metric[] {
  const resident = gauge('process_resident_memory_bytes', 'Memory that is really occupied', process.memoryUsage.rss())
  const status = onLinux(() => readFileSync('/proc/self/status', 'utf8'))
  if (status === undefined) return [resident]
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
  return [
    resident,
    gauge('process_virtual_memory_bytes', 'Addresses that are reserved', bytes('VmSize')),
    gauge('process_heap_bytes', 'The data segment', bytes('VmData')),
  ]
}

function files(): readonly Metric[] {
  const open = onLinux(() => readdirSync('/proc/self/fd').length)
  const limits = onLinux(() => readFileSync('/proc/self/limits', 'utf8'))
  if (open === undefined || limits === undefined) return []
  const most = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
  return [
    // Reading the folder has opened one.
    gauge('process_open_fds', 'Open files and connections', open - 1),
    ...(most === undefined ? [] : [gauge('process_max_fds', 'How many may be open', Number(most))]),
  ]
}

function watchLoop(): () => Promise<readonly Metric[]> {
  const delays = monitorEventLoopDelay()
  delays.enable()
  let before = performance.eventLoopUtilization()
  return async () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    const lag = (which: string, help: string, nanoseconds: number): Metric =>
      gauge(`nodejs_eventloop_lag_${which}seconds`, help, nanoseconds / 1e9)
    const since = 'delay since the previous request for metrics'
    const metrics = [
      lag('', 'How late a task ran that was due just now', (await turn()) * 1e6),
      // Without a delay yet, the shortest one is the longest that can be counted.
      lag('min_', `The shortest ${since}`, delays.count === 0 ? 0 : delays.min),
      lag('max_', `The longest ${since}`, delays.max),
      lag('mean_', `The mean ${since}`, delays.count === 0 ? 0 : delays.mean),
      lag('stddev_', 'The standard deviation of the delays', delays.count === 0 ? 0 : delays.stddev),
      ...[50, 90, 99].map((part) => lag(`p${part}_`, `${part} in a hundred were shorter`, delays.percentile(part))),
      gauge('nodejs_eventloop_utilization', 'The part of that time in which the event loop was busy', utilization),
    ]
    delays.reset()
    return metrics
  }
}

/** Milliseconds until the event loop has a turn. */
async function turn(): Promise<number> {
  const began = performance.now()
  await new Promise((resolve) => {
    setImmediate(resolve)
  })
  return performance.now() - began
}

function resources(): readonly Metric[] {
  const active = process.getActiveResourcesInfo()
  const counts = new Map<string, number>()
  for (const type of active) counts.set(type, (counts.get(type) ?? 0) + 1)
  const samples = [...counts].map(([type, value]): Sample => ({ labels: { type }, value }))
  const help = 'What keeps the process running'
  return [
    { name: 'nodejs_active_resources', help, type: 'gauge', samples },
    gauge('nodejs_active_resources_total', 'The number of these', active.length),
  ]
}

function heap(): readonly Metric[] {
  const { heapTotal, heapUsed, external } = process.memoryUsage()
  const spaces = getHeapSpaceStatistics()
  const ofEach = (what: 'size' | 'used_size' | 'available_size', help: string): Metric => ({
    name: `nodejs_heap_space_size_${{ size: 'total', used_size: 'used', available_size: 'available' }[what]}_bytes`,
    help,
    type: 'gauge',
    samples: spaces.map((space) => {
      return { labels: { space: space.space_name.replace(/_space$/, '') }, value: space[`space_${what}`] }
    }),
  })
  return [
    gauge('nodejs_heap_size_total_bytes', 'Memory that V8 has reserved for objects', heapTotal),
    gauge('nodejs_heap_size_used_bytes', 'Memory that objects occupy', heapUsed),
    gauge('nodejs_external_memory_bytes', 'Memory outside of V8 that objects hold', external),
    ofEach('size', 'The reserved memory of each space'),
    ofEach('used_size', 'The occupied memory of each space'),
    ofEach('available_size', 'The free memory of each space'),
  ]
}

function version(): Metric {
  const [major = '', minor = '', patch = ''] = process.versions.node.split('.')
  const labels = { version: process.version, major, minor, patch }
  return { name: 'nodejs_version_info', help: 'The version of Node', type: 'gauge', samples: [{ labels, value: 1 }] }
}

/** A garbage collection, as Node tells of it. */
interface Collection {
  readonly detail: { readonly kind: number }
  /** Milliseconds. */
  readonly duration: number
}

const kinds: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
])

function watchGarbage(): () => Metric {
  const durations = new Map<string, Histogram>()
  const observer = new PerformanceObserver((list) => {
    for (const { detail, duration } of list.getEntries() as unknown as readonly Collection[]) {
      const kind = kinds.get(detail.kind)
      if (kind === undefined) continue
      let ofKind = durations.get(kind)
      if (ofKind === undefined) durations.set(kind, (ofKind = openHistogram([0.001, 0.01, 0.1, 1, 2, 5])))
      ofKind.observe(duration / 1000)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => ({
    name: 'nodejs_gc_duration_seconds',
    help: 'How long garbage collections took',
    type: 'histogram',
    samples: [...durations].flatMap(([kind, ofKind]) => ofKind.samples({ kind })),
  })
}

function counter(name: string, help: string, value: number): Metric {
  return { name, help, type: 'counter', samples: [{ value }] }
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, help, type: 'gauge', samples: [{ value }] }
}

/** What can be read on Linux only. */
function onLinux<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
