import { existsSync, readFileSync } from 'node:fs'
import { loadEnvironmentFile, secretSetting, unknownVariables } from 'latchkey-server/start'

/** The settings of the service, by the variables that set them. */
export interface Settings {
  readonly HOST: string
  readonly PORT: number
  readonly LATCHKEY_STORE: string
  readonly SERVICE_API_KEY: string | undefined
  readonly PROCESSING_SECONDS: number
  readonly LOG_LEVEL: string
  readonly NODE_ENV: string
}

/** How the text of a setting is read. */
interface Setting<Value> {
  /** The value where the variable is not set. */
  readonly fallback: Value
  /** What the value must be; follows the name in a message. */
  readonly must: string
  /** Reads the value from a text; `undefined` if the text does not fit. */
  readonly read: (text: string) => Value | undefined
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

const table: { readonly [Name in keyof Settings]: Setting<Settings[Name]> } = {
  HOST: { fallback: '127.0.0.1', must: 'an address of this machine', read: (text) => text },
  PORT: {
    fallback: 8000,
    must: 'a whole number from 0 to 65535',
    read: (text) => (/^[0-9]+$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined),
  },
  LATCHKEY_STORE: {
    fallback: 'sqlite:data/latchkey.db',
    must: 'sqlite: and the path of a file, such as sqlite:data/latchkey.db',
    read: (text) => (/^sqlite:.+$/.test(text) ? text : undefined),
  },
  SERVICE_API_KEY: { fallback: undefined, must: 'a key', read: (text) => text },
  PROCESSING_SECONDS: {
    fallback: 0.5,
    must: 'seconds from 0 to 3600, such as 0.5',
    read: (text) => (/^[0-9]+(?:\.[0-9]+)?$/.test(text) && Number(text) <= 3600 ? Number(text) : undefined),
  },
  LOG_LEVEL: {
    fallback: 'info',
    must: `one of ${logLevels.join(', ')}`,
    read: (text) => (logLevels.includes(text) ? text : undefined),
  },
  NODE_ENV: { fallback: 'production', must: 'a word', read: (text) => text },
}

/** Read elsewhere: the file of the key below, the others by `latchkey` beside the service. */
const ofOthers = [
  'SERVICE_API_KEY_FILE',
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
  const [unknown] = unknownVariables(data, { known: [...Object.keys(table), ...ofOthers] })
  if (unknown !== undefined) throw new SettingsError(unknown)
  const texts: NodeJS.Dict<string> = { ...data, SERVICE_API_KEY: secretOf(environment) }
  const faults: string[] = []
  const settings = Object.entries(table).map(([name, { fallback, must, read }]) => {
    const text = texts[name]
    const value = text === undefined ? fallback : read(text)
    if (text !== undefined && value === undefined) faults.push(`${name} must be ${must}`)
    return [name, value] as const
  })
  if (faults.length > 0) throw new SettingsError(faults.join('; '))
  return Object.fromEntries(settings) as unknown as Settings
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
