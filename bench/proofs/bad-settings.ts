/** A marker in every value that can have one, so that a leak of the value is recognised. */
export const marker = 's3cret'

/** A start with one setting that does not fit. */
export interface BadSetting {
  /** Who is started. */
  readonly of: 'server' | 'example'
  /** What the line must name. */
  readonly names: string
  readonly environment: Readonly<Record<string, string>>
  readonly flags: readonly string[]
  /** Files in the working directory, by name; a name that ends in `/` is a folder. */
  readonly files: Readonly<Record<string, string>>
  /** The text that must not appear in the output; empty if the words of the line could contain it anyway. */
  readonly value: string
}

/** Values of the server's settings, by their variables. */
const values: Readonly<Record<string, readonly string[]>> = {
  HOST: [`${marker} host`, `http://${marker}`, `${marker}:8080`, `-${marker}`, '203.0.113.77'],
  PORT: [marker, '65536', '-1234', '80.5', '0x1F90', '1e3', '+8080', '８０８０', 'Infinity'],
  LATCHKEY_STORE: [`postgres://${marker}@db`, `${marker}.db`, `mysql:${marker}`, `SQLITE:${marker}`, `file:${marker}`],
  LATCHKEY_PREFIX: ['S3cret', '3cret', `${marker}_x`, `${marker}-x`, marker.repeat(3), `é${marker}`],
  LATCHKEY_ENVIRONMENTS: [`live,admin,${marker}`, `${marker},${marker}`, `live,,${marker}`, 'S3cret', `live;${marker}`],
  LATCHKEY_TRUSTED_PROXIES: [
    marker,
    '0.0.0.0/0',
    '10.0.0.0/33',
    '::/0',
    '10.0.0.0/8/8',
    '10.0.0.1-10.0.0.9',
    '0.0.0.0/1,128.0.0.0/1',
    '::ffff:0.0.0.0/96',
  ],
  LATCHKEY_CORS_ORIGINS: [
    '*',
    `https://${marker}/path`,
    `${marker}.example.com`,
    `ftp://${marker}`,
    `https://*.${marker}.example`,
    'null',
  ],
  LATCHKEY_TRUSTED_PROXY: [`10.1.2.3,${marker}`],
  LATCHKEY_PORTT: [marker],
  LOG_LEVEL: [marker, 'INFO', 'verbose'],
  LATCHKEY_USAGE_INTERVAL: [marker, '3601', '-10'],
  LATCHKEY_RETENTION_USAGE: [marker, '0', '3651'],
  LATCHKEY_RETENTION_USAGE_SUMS: [marker, '0'],
  LATCHKEY_RETENTION_REFUSALS: [marker, '0'],
  LATCHKEY_RETENTION_ENDED_SECRETS: [marker, '0'],
  LATCHKEY_RETENTION_REVOKED_KEYS: [marker, '0'],
  LATCHKEY_CACHE_SIZE: [marker, '10000001'],
  LATCHKEY_CACHE_MEMORY: [marker, '0', '65537'],
  LATCHKEY_DRAIN_DELAY: [marker, '301'],
}

/** Contents of the file that declares the scopes. */
const scopes: readonly string[] = [
  `{ "${marker}:read": `,
  `["${marker}:read"]`,
  `{ "${marker}": "Read" }`,
  `{ "${marker}:read": "" }`,
  `{ "${marker}:read": 5 }`,
]

const flags: Readonly<Record<string, string>> = {
  '--port': marker,
  '--store': `${marker}.db`,
  '--log-level': marker,
  '--prefix': 'S3cret',
}

/** Values of the example's settings. */
const exampleValues: Readonly<Record<string, readonly string[]>> = {
  PORT: [marker],
  LATCHKEY_STORE: [`postgres://${marker}@db`],
  SERVICE_API_KEY: [marker, 'your-secret-api-key', `${marker} ${marker} ${marker}`],
  SERVICE_API_KEY_FILE: [`${marker}.key`],
  PROCESSING_SECONDS: ['-1234'],
  LATCHKEY_STORES: [`sqlite:${marker}.db`],
  SERVICE_API_KEYS: [marker],
}

const server = { of: 'server', environment: {}, flags: [], files: {} } as const

/** All of them. */
export const badSettings: readonly BadSetting[] = [
  ...byVariable('server', values),
  ...scopes.map((content) => ({
    ...server,
    names: 'LATCHKEY_SCOPES_FILE',
    environment: { LATCHKEY_SCOPES_FILE: 'scopes.json' },
    files: { 'scopes.json': content },
    value: marker,
  })),
  ...['missing.json', 'folder'].map((file) => ({
    ...server,
    names: 'LATCHKEY_SCOPES_FILE',
    environment: { LATCHKEY_SCOPES_FILE: file },
    files: { 'folder/': '' },
    value: file,
  })),
  ...Object.entries(flags).map(([flag, value]) => ({ ...server, names: flag, flags: [flag, value], value })),
  { ...server, names: 'PORT', files: { '.env': `PORT=${marker}\n` }, value: marker },
  { ...server, names: 'LOG_LEVEL', files: { '.env': `LOG_LEVEL="${marker}"\n` }, value: marker },
  { ...server, names: '.env', files: { '.env/': '' }, value: '' },
  ...byVariable('example', exampleValues),
]

function byVariable(of: BadSetting['of'], table: Readonly<Record<string, readonly string[]>>): readonly BadSetting[] {
  return Object.entries(table).flatMap(([variable, bad]) =>
    bad.map((value) => ({
      ...server,
      of,
      names: variable,
      environment: { [variable]: value },
      // The words of the line may contain so short a text.
      value: value.length > 3 ? value : '',
    })),
  )
}
