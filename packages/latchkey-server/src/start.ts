/**
 * @module How a server program starts and stops: settings and secrets from the environment, warnings, signals. Nothing
 *   here loads a framework.
 */

export { loadEnvironmentFile } from './start/environment-file.ts'
export { hostMust, isNotHere, isOfThisMachine, portFault } from './start/listening.ts'
export { reserveFile } from './start/reserved-file.ts'
export type { ReservedFile } from './start/reserved-file.ts'
export { secretSetting } from './start/secret-setting.ts'
export { closeOnSignals } from './start/signals.ts'
export type { Stopping } from './start/signals.ts'
export { unknownVariables } from './start/unknown-variables.ts'
export type { KnownVariables } from './start/unknown-variables.ts'
export { startWarnings } from './start/warnings.ts'
export type { StartFacts } from './start/warnings.ts'
