/** Receives errors that occur in the background. */
export type OnError = (error: unknown) => void

/**
 * Passes errors in the background to a handler, and never throws. No caller waits for such work, so an error of the
 * handler itself, thrown or from its promise, would end the process: it becomes a warning, and so does the first error.
 *
 * @param onError - of the application; a warning of the process if left out.
 */
export function backgroundErrors(onError: OnError = warn): OnError {
  const pass = async (error: unknown): Promise<void> => {
    try {
      // TypeScript takes a function that returns a promise for one that returns nothing.
      await (onError(error) as unknown)
    } catch (failure) {
      warn(error)
      process.emitWarning(`onError itself failed: ${reasonOf(failure)}`, 'LatchkeyWarning')
    }
  }
  return (error) => void pass(error)
}

function warn(error: unknown): void {
  process.emitWarning(`Usage or a declaration could not be written: ${reasonOf(error)}`, 'LatchkeyWarning')
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
