import { exits } from '../exit.ts'
import { say } from './print.ts'

/** What Ctrl-C does and prints during long work. */
export interface Stopping {
  /** Ends the work where it can continue later. */
  readonly stop: () => void
  readonly message: string
  /** The message if it is pressed again, which ends the process at once. */
  readonly messageAtOnce: string
}

/** From now on Ctrl-C ends long work in order, and the second time at once. Returns a function that undoes this. */
export function stoppable({ stop, message, messageAtOnce }: Stopping): () => void {
  let asked = false
  const onSignal = (): void => {
    if (asked) {
      say(messageAtOnce)
      process.exit(exits.stopped.code)
    }
    asked = true
    say(message)
    stop()
  }
  process.on('SIGINT', onSignal)
  return () => void process.removeListener('SIGINT', onSignal)
}
