import { hostMust, isOfThisMachine } from 'latchkey-server/start'
import { loadEnvironment, readSettings, SettingsError } from './settings.ts'

/** EX_CONFIG of sysexits.h: a supervisor need not try again, somebody has to mend the settings. */
const exitSettings = 78

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(isBySettings(error) ? exitSettings : 1)
}

async function main(): Promise<void> {
  loadEnvironment()
  const settings = readSettings(process.env)
  // Nothing that we start, and no report of a crash, needs to know it.
  delete process.env['SERVICE_API_KEY']
  if (!(await isOfThisMachine(settings.HOST))) throw new SettingsError(hostMust)

  // Only now, and one after the other: who has to mend a setting should not wait for all that a service loads.
  const { sourcesOf } = await import('./keys.ts')
  const sources = sourcesOf(settings)
  const { serve } = await import('./serve.ts')
  await serve(settings, sources)
}

function isBySettings(error: unknown): boolean {
  return error instanceof SettingsError || (error as { code?: unknown }).code === 'weak_key'
}
