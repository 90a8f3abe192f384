/** A value of JSON. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | Metadata

/** An object of JSON: what an application keeps with a key. */
export interface Metadata {
  readonly [name: string]: JsonValue
}
