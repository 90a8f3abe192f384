/** A statement as `pg` takes it. */
export interface PostgresQuery {
  readonly text: string
  readonly values?: unknown[]
  /** How the texts of an answer become values, instead of as the application has it set. */
  readonly types?: { getTypeParser(oid: number, format?: string): (text: string) => unknown }
}

/** An answer of `pg`. */
export interface PostgresResult {
  readonly command: string
  readonly rowCount: number | null
  readonly rows: readonly unknown[]
}

/** What the store needs of a client of `pg`. */
export interface PostgresClient {
  /** Answers a list where the text has several statements. */
  readonly query: (query: PostgresQuery) => Promise<PostgresResult | readonly PostgresResult[]>
  /**
   * Calls a listener with each notice, error or message.
   *
   * @example
   * const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
   * const client = await pool.connect()
   * client.on('error', () => {})
   */
  on(event: 'notice' | 'error', listener: (about: Error) => void): unknown
  on(event: 'notification', listener: (message: { readonly payload?: string | undefined }) => void): unknown
  /**
   * No longer calls it.
   *
   * @example
   * const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
   * const client = await pool.connect()
   * const listener = (error: Error) => console.warn(error.message)
   * client.on('error', listener)
   * client.removeListener('error', listener)
   */
  removeListener(event: 'notice' | 'error', listener: (about: Error) => void): unknown
  /** Gives it back to its pool, which ends it if it is to be destroyed. */
  readonly release: (destroy?: boolean) => void
}

/** What the store needs of a pool of `pg` 8: connections, one for each use. */
export interface PostgresPool {
  readonly connect: () => Promise<PostgresClient>
}
