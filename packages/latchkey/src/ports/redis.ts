/** A client of `@redis/client` or `redis`, from 5 on, as far as it is needed. */
export interface NodeRedis {
  /** What it was made with. */
  readonly options?: object | undefined
  /** A new client with the same options but these. */
  duplicate(overrides?: object): NodeRedis
  /** Connects it. */
  connect(): Promise<unknown>
  /** Ends it at once. */
  destroy(): void
  /** Sends a command and its arguments. */
  sendCommand(args: string[]): Promise<unknown>
  /** Listens for errors and for the end. */
  on(event: string, listener: (error: unknown) => void): unknown
}

/** A client of `ioredis`, from 5 on, as far as it is needed. */
export interface IoRedis {
  /** A new client with the same options but these. */
  duplicate(overrides?: object): IoRedis
  /** Connects it. */
  connect(): Promise<unknown>
  /** Ends it at once. */
  disconnect(): void
  /** Sends a command with its arguments. */
  call(command: string, args: string[]): Promise<unknown>
  /** Listens for errors and for the end. */
  on(event: string, listener: (error: unknown) => void): unknown
}
