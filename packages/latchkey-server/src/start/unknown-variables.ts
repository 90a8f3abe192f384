/** Which variables are settings. */
export interface KnownVariables {
  /** The names of all settings that this program, or one beside it, reads. */
  readonly known: readonly string[]
  /** The prefix of our settings; `LATCHKEY_` if left out. */
  readonly prefix?: string
}

/** Kubernetes sets these in every container for each service of the namespace, and a service may have our name. */
const ofKubernetes = /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/

/** A name that is spelt almost like one of ours, and does not begin like it. */
const almost = 2

/**
 * Returns a sentence for each environment variable that looks like a setting and is none: it begins with our prefix, or
 * differs from the name of a setting in at most two letters. The sentence names the setting that it is most like, and
 * never a value.
 *
 * @example unknownVariables({ LATCHKEY_STOER: 'x' }, { known: ['PORT', 'LATCHKEY_STORE'] }).length // 1
 */
export function unknownVariables(
  environment: Readonly<Record<string, string | undefined>>,
  { known, prefix = 'LATCHKEY_' }: KnownVariables,
): readonly string[] {
  const faults: string[] = []
  for (const [name, value] of Object.entries(environment)) {
    if (known.includes(name) || value === undefined || value === '') continue
    const upper = name.toUpperCase()
    const ours = upper.startsWith(prefix) && !ofKubernetes.test(name) && !/^(?:tcp|udp|sctp):\/\//.test(value)
    // Nearly every variable of a process is somebody else's, and of a length that rules each of our names out.
    const near = upper.startsWith(prefix) ? known : known.filter((one) => Math.abs(one.length - upper.length) <= almost)
    const nearest = nearestOf(upper, { known: near, prefix })
    // Short names resemble many others: POST is not a misspelt HOST.
    const meant = nearest.distance <= almost && nearest.name.length > 2 * 5
    if (!ours && !meant) continue
    faults.push(`${name.slice(0, 64)} is not a setting. Did you mean ${nearest.name}?`)
  }
  return faults
}

function nearestOf(
  name: string,
  { known, prefix }: Required<KnownVariables>,
): { readonly name: string; readonly distance: number } {
  // With our prefix on a setting that has none, the name without the prefix was meant.
  const spellings = name.startsWith(prefix) ? [name, name.slice(prefix.length)] : [name]
  // Whoever left out the end of a longer name has written all the rest of it.
  const begun = known.filter(
    (one) => name.startsWith(prefix) && name.length > prefix.length + 2 && one.startsWith(`${name}_`),
  )
  if (begun[0] !== undefined && !known.includes(name)) return { name: begun.join(' or '), distance: 0 }
  const candidates = known.flatMap((one) => spellings.map((spelt) => ({ name: one, distance: distance(spelt, one) })))
  return candidates.reduce((best, one) => (one.distance < best.distance ? one : best), {
    name: '',
    distance: Number.POSITIVE_INFINITY,
  })
}

/** How many letters must be put in, taken out or changed to make one text of the other (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let line = 1; line <= one.length; line++) {
    const next = [line]
    for (let column = 1; column <= other.length; column++) {
      const changed = (row[column - 1] ?? 0) + Number(one[line - 1] !== other[column - 1])
      next.push(Math.min(changed, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[other.length] ?? 0
}
