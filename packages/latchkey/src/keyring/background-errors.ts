/** What is told of errors of work that nobody waits for. */
export type OnError = (error: unknown) => void

/**
 * Tells of an error in the background, and never throws: where nobody waits, an error of the handler itself, thrown or
 * of the promise that it gave, would end the process. It becomes a warning, and so does the error that it was told.
 *
 * @param onError - of the application; a warning of the process if left out.
 */
export function backgroundErrors(onError: OnError = warn): OnError {
  const tell = async (error: unknown): Promise<void> => {
    try {
      // A function that answers a promise is taken where one is wanted that answers nothing.
      await (onError(error) as unknown)
    } catch (failure) {
      warn(error)
      process.emitWarning(`onError itself failed: ${reasonOf(failure)}`, 'LatchkeyWarning')
    }
  }
  return (error) => void tell(error)
}

function warn(error: unknown): void {
  process.emitWarning(`Usage or a declaration could not be written: ${reasonOf(error)}`, 'LatchkeyWarning')
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
