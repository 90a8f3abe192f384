import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Ends a process that a test has started, and waits until it is gone: until then it may still write files. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
