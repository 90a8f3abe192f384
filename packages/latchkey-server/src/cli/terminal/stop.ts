import { exits } from '../exit.ts'
import { say } from './print.ts'

/** What is done and said when somebody wants long work to end. */
export interface Stopping {
  /** Ctrl-C is pressed: lets the work end where it can go on later. */
  readonly stop: () => void
  readonly message: string
  /** It is pressed once more, and the process ends at once. */
  readonly messageAtOnce: string
}

/** From now on Ctrl-C lets long work end in order, and pressed twice at once. Answers what takes that back. */
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
