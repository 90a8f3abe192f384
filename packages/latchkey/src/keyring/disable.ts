import type { Changed, ChangeOptions } from './changing.ts'
import { changeKey, changeOptions, refuseRevoked } from './changing.ts'
import { plain } from './input.ts'
import type { KeyringParts } from './parts.ts'

/** The function behind `Keyring.disable`. To disable twice is to disable once. */
export async function disable<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  options: ChangeOptions,
): Promise<Changed<Scope>> {
  plain('The options of disable', options, changeOptions)
  return changeKey(parts, id, options, ({ key }, now) => {
    refuseRevoked(key)
    if (key.disabledAt !== null) return undefined
    return { key: { ...key, disabledAt: now, disabledBy: parts.authority ?? null }, action: 'disable', change: {} }
  })
}

/** The function behind `Keyring.enable`. */
export async function enable<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  options: ChangeOptions,
): Promise<Changed<Scope>> {
  plain('The options of enable', options, changeOptions)
  return changeKey(parts, id, options, ({ key }) => {
    refuseRevoked(key)
    if (key.disabledAt === null) return undefined
    return { key: { ...key, disabledAt: null, disabledBy: null }, action: 'enable', change: {} }
  })
}
