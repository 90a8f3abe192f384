import { existsSync, readFileSync } from 'node:fs'
import envSchema from 'env-schema'
import { loadEnvironmentFile, secretSetting, unknownVariables } from 'latchkey-server/start'
import type { Static } from 'typebox'
import { Type } from 'typebox'

const Settings = Type.Object({
  HOST: Type.String({ default: '127.0.0.1' }),
  PORT: Type.Integer({ default: 8000, minimum: 0, maximum: 65535 }),
  LATCHKEY_STORE: Type.String({ default: 'sqlite:data/latchkey.db', pattern: '^sqlite:.+$' }),
  SERVICE_API_KEY: Type.Optional(Type.String()),
  SERVICE_API_KEY_FILE: Type.Optional(Type.String()),
  PROCESSING_SECONDS: Type.Number({ default: 0.5, minimum: 0, maximum: 3600 }),
  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info' }),
  NODE_ENV: Type.String({ default: 'production' }),
})

export type Settings = Static<typeof Settings>

/** Read by `latchkey` beside the service, and best kept in the same file. */
const ofTheCommandLine = [
  'LATCHKEY_URL',
  'LATCHKEY_ADMIN_KEY',
  'LATCHKEY_ADMIN_KEY_FILE',
  'LATCHKEY_CREDENTIAL',
  'LATCHKEY_CREDENTIAL_FILE',
  'LATCHKEY_SCOPES_FILE',
  'LATCHKEY_PREFIX',
  'LATCHKEY_ENVIRONMENTS',
]

/** Reads and checks the settings. The message of the error names the setting and what it must be, never its value. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  // An empty variable counts as not set: a compose file unsets a variable in this way.
  const data = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const [unknown] = unknownVariables(data, { known: [...Object.keys(Settings.properties), ...ofTheCommandLine] })
  if (unknown !== undefined) throw new SettingsError(unknown)
  // Ajv would take 18e3 and 0x4650 for numbers, too.
  if (!/^[0-9]+$/.test(data['PORT'] ?? '0')) throw new SettingsError('PORT must be a whole number from 0 to 65535')
  const { SERVICE_API_KEY_FILE: _, ...others } = data
  const secret = secretOf(environment)
  if (secret !== undefined) others['SERVICE_API_KEY'] = secret
  try {
    return envSchema<Settings>({ schema: Settings, data: others, env: false })
  } catch (error) {
    throw new SettingsError((error as { errors?: readonly Fault[] }).errors?.map(sentence).join('; '), { cause: error })
  }
}

/** `SERVICE_API_KEY`, or the content of the file that `SERVICE_API_KEY_FILE` names. */
function secretOf(environment: NodeJS.ProcessEnv): string | undefined {
  try {
    return secretSetting('SERVICE_API_KEY', environment)
  } catch (error) {
    throw new SettingsError((error as Error).message, { cause: error })
  }
}

/** Loads `.env` into the environment, if the file exists. Variables that are set already win. */
export function loadEnvironment(): void {
  try {
    loadEnvironmentFile()
  } catch (error) {
    throw new SettingsError('.env must be a file in UTF-8 that can be read', { cause: error })
  }
}

/** Whether `.env` has the setting on one line of its own, as it is: then a shell can read it there. */
export function standsInFile(name: keyof Settings, value: string): boolean {
  if (!existsSync('.env')) return false
  const lines = readFileSync('.env', 'utf8').split('\n')
  return lines.filter((line) => line.startsWith(`${name}=`)).join('\n') === `${name}=${value}`
}

/** The settings are wrong, and the process ends with EX_CONFIG. */
export class SettingsError extends Error {}

interface Fault {
  readonly instancePath: string
  readonly keyword: string
  readonly message?: string
  readonly params: { readonly allowedValues?: readonly string[] }
}

function sentence({ instancePath, keyword, message, params }: Fault): string {
  const name = instancePath.slice(1)
  if (keyword === 'pattern') return `${name} must be sqlite: and the path of a file, such as sqlite:data/latchkey.db`
  const allowed = params.allowedValues === undefined ? '' : `: ${params.allowedValues.join(', ')}`
  return `${name} ${message}${allowed}`
}
