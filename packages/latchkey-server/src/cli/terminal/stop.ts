/** Lets long work end where it can go on later, when Ctrl-C is pressed. Pressed twice, the process ends at once. */
export function stoppable(): { readonly asked: () => boolean; readonly end: () => void } {
  let asked = false
  const onSignal = (): void => {
    asked = true
  }
  process.once('SIGINT', onSignal)
  return {
    asked: () => asked,
    end: () => void process.removeListener('SIGINT', onSignal),
  }
}
