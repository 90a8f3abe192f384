import type { KeyDetails, RefusalCode, RefusalRecord } from 'latchkey'
import { quoted } from '../advice.ts'
import { limitText } from '../input/limits.ts'

/** What to do about a refusal: sentences, and commands of this command line that lead out of it. */
export interface Remedy {
  readonly say: string
  /** Without `latchkey` and without the flags that lead to the keyring. */
  readonly commands?: readonly string[]
}

/** What is known when somebody asks what to do. */
interface Trouble {
  readonly refusal: RefusalRecord
  /** The key, as it is now; `undefined` if there is none, or it may not be read. */
  readonly key: KeyDetails | undefined
}

/**
 * What to do about each refusal. A code without a row does not compile. A test runs every command, and the refused call is
 * accepted afterwards.
 */
const remedies: Readonly<Record<RefusalCode, (trouble: Trouble) => Remedy>> = {
  missing: () => ({ say: 'The caller must send its key in the header that the API documents.' }),
  two_credentials: () => ({
    say: 'The caller must send its key once: a proxy or a library of its own perhaps adds another.',
  }),
  malformed: () => ({
    say: 'The caller sends something else than a key: a placeholder, or the key of another service.',
  }),
  mistyped: () => ({ say: 'A part of the key was lost or changed when it was copied. The caller must copy it again.' }),
  unknown: () => ({
    say: 'It is a key of another installation, or was never issued here. See whose key it is; issue one if it is nobody’s:',
    commands: ['keys list'],
  }),
  unavailable: () => ({
    say: 'The keys could not be read at that time. See whether they can be read now:',
    commands: ['doctor'],
  }),
  revoked: ({ key }) => ({
    say: 'Revoked is final. If the caller may come back, issue a new key and hand it over:',
    commands: [`keys issue ${sameMembers(key)}`],
  }),
  disabled: ({ refusal }) => ({
    say: 'If the reason is gone, enable the key:',
    commands: [`keys enable ${idOf(refusal)}`],
  }),
  owner_disabled: ({ refusal }) => ({
    say: 'All keys of the owner are refused. If the reason is gone, enable the owner:',
    commands: [`owners change ${quoted(refusal.owner ?? 'OWNER')} --enable`],
  }),
  not_yet_valid: ({ refusal, key }) => ({
    say: `${begins(key)}If it may be used from now on:`,
    commands: [`keys change ${idOf(refusal)} --clear not-before`],
  }),
  expired: ({ refusal }) => ({
    say: 'If the caller may go on, give the key more time. The secret stays:',
    commands: [`keys change ${idOf(refusal)} --expires 30d`],
  }),
  secret_ended: ({ refusal }) => ({
    say: 'The caller still sends the old secret. It must take the new one. If nobody has that any more, give the key another one and hand it over:',
    commands: [`keys rotate ${idOf(refusal)}`],
  }),
  wrong_environment: ({ refusal, key }) => ({
    say: `The key is of the environment ${refusal.environment ?? 'another'}${acceptedBy(refusal)}. A key keeps its environment: issue one of the right one.`,
    commands: [`keys issue ${sameMembers(key)} --environment ${refusal.requirement?.environments[0] ?? 'ENVIRONMENT'}`],
  }),
  address_not_allowed: ({ refusal, key }) => ({
    say: `The call came from ${refusal.address ?? 'an address that is not known: see LATCHKEY_TRUSTED_PROXIES'}. If that is the caller, allow it:`,
    commands:
      refusal.address === undefined
        ? []
        : [`keys change ${idOf(refusal)} --address ${[...(key?.addresses ?? []), refusal.address].join(',')}`],
  }),
  insufficient_scope: ({ refusal, key }) => ({
    say: `The key lacks ${missing(refusal).join(', ') || 'a scope'}. If the caller may have it:`,
    commands: [
      `keys change ${idOf(refusal)} --scope ${quoted([...(key?.scopes ?? []), ...missing(refusal)].join(','))}`,
    ],
  }),
  over_limit: ({ refusal, key }) => raised(refusal, key),
  quota_exhausted: ({ refusal, key }) => ({
    say: `The quota is spent${refills(key)}. To give more until then:`,
    commands: [`keys change ${idOf(refusal)} --quota-add ${key?.quota?.amount || 1000}`],
  }),
}

/** What to do about a refusal. */
export function remedyOf(trouble: Trouble): Remedy {
  return remedies[trouble.refusal.code](trouble)
}

function idOf({ keyId }: RefusalRecord): string {
  return keyId ?? 'KEY'
}

/** The members of a key as options of a new one. */
function sameMembers(key: KeyDetails | undefined): string {
  const { name = 'NAME', owner = 'OWNER', scopes = [] } = key ?? {}
  const granted = scopes.length === 0 ? '' : ` --scope ${quoted(scopes.join(','))}`
  return `--name ${quoted(name)} --owner ${quoted(owner)}${granted}`
}

function missing(refusal: RefusalRecord): readonly string[] {
  return refusal.code === 'insufficient_scope' ? (refusal.missing ?? []) : []
}

function begins(key: KeyDetails | undefined): string {
  const { notBefore = null } = key ?? {}
  return notBefore === null ? '' : `The key is valid from ${new Date(notBefore).toISOString()} on. `
}

function acceptedBy({ requirement }: RefusalRecord): string {
  const environments = requirement?.environments ?? []
  return environments.length === 0 ? '' : `, and the route takes ${environments.join(', ')}`
}

function refills(key: KeyDetails | undefined): string {
  const at = key?.quotaLeft?.refillsAt ?? null
  return at === null ? '' : ` until ${new Date(at).toISOString()}`
}

/** A limit of the key itself can be raised; one that the owner shares is the owner's. */
function raised(refusal: RefusalRecord, key: KeyDetails | undefined): Remedy {
  const name = refusal.code === 'over_limit' ? refusal.limit?.name : undefined
  const say = `The caller sends too many calls at a time${name === undefined ? '' : `: the limit ${name} has no room`}. It should wait as Retry-After says.`
  const own = key?.limits.find((limit) => limit.name === name)
  if (own === undefined)
    return {
      say: `${say} If the owner's shared limit is too low, see what it is:`,
      commands: [`owners show ${quoted(refusal.owner ?? 'OWNER')}`],
    }
  const limits = key?.limits.map((limit) => limitText(limit === own ? { ...own, limit: own.limit * 2 } : limit)) ?? []
  return {
    say: `${say} If it may have more:`,
    commands: [`keys change ${idOf(refusal)} ${limits.map((limit) => `--limit ${limit}`).join(' ')}`],
  }
}
