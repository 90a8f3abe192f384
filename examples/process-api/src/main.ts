import { hostMust, isOfThisMachine } from 'latchkey-server/start'
import { loadEnvironment, readSettings, SettingsError } from './settings.ts'

/** EX_CONFIG of sysexits.h: a supervisor need not try again, because a person must correct the settings. */
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
  // Remove the secret: child processes and crash reports must not have it.
  delete process.env['SERVICE_API_KEY']
  if (!(await isOfThisMachine(settings.HOST))) throw new SettingsError(hostMust)

  // Import only now, so that a wrong setting shows before the whole service is loaded.
  const { sourcesOf } = await import('./keys.ts')
  const sources = sourcesOf(settings)
  const { serve } = await import('./serve.ts')
  await serve(settings, sources)
}

function isBySettings(error: unknown): boolean {
  return error instanceof SettingsError || (error as { code?: unknown }).code === 'weak_key'
}
