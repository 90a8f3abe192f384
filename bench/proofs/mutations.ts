import { createHash } from 'node:crypto'
import { base62, checksumLength, withChecksum, wrongByOne } from './forgery.ts'
import type { Random } from './random.ts'

/** Makes a wrong credential out of a valid secret. */
type Mutation = (random: Random, secret: string) => string

/** Letters that look like others: Cyrillic and Greek for Latin. */
const lookAlikes: Readonly<Record<string, string>> = {
  a: 'а', c: 'с', e: 'е', i: 'і', j: 'ј', k: 'к', l: 'ӏ', o: 'о', p: 'р', s: 'ѕ', v: 'ν', x: 'х', y: 'у',
  A: 'А', B: 'В', E: 'Е', H: 'Н', I: 'І', K: 'К', M: 'М', O: 'О', P: 'Р', S: 'Ѕ', T: 'Т', X: 'Х', Y: 'Υ', Z: 'Ζ', _: '＿',
} // prettier-ignore

/** Characters that `trim`, a terminal or an editor ignores. */
const blanks = [' ', '\t', '\n', '\r', '\r\n', '\v', '\f', '\u0085', '\u00a0', '\u2003', '\u2028', '\u3000', '\ufeff']

/** Invisible characters. */
const invisible = [
  '\u0000',
  '\u0008',
  '\u001b[0m',
  '\u007f',
  '\u00ad',
  '\u200b',
  '\u200d',
  '\u202e',
  '\u0301',
  '\ud800',
]

/** Printable ASCII. */
const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('')

const base64url = `${base62}-_`

/** Every way to make one, by its name. */
export const mutations: Readonly<Record<string, Mutation>> = {
  // One slip.
  substitution: (random, secret) => put(secret, random.below(secret.length), random.text(1, base62)),
  'substitution by any character': (random, secret) => put(secret, random.below(secret.length), random.text(1, ascii)),
  deletion: (random, secret) => put(secret, random.below(secret.length), ''),
  insertion: (random, secret) => insert(secret, random.below(secret.length + 1), random.text(1, base62)),
  'insertion of any character': (random, secret) =>
    insert(secret, random.below(secret.length + 1), random.text(1, ascii)),
  doubling: (random, secret) => {
    const place = random.below(secret.length)
    return insert(secret, place, secret.charAt(place))
  },
  swap: (random, secret) => {
    const place = random.below(secret.length - 1)
    return secret.slice(0, place) + secret.charAt(place + 1) + secret.charAt(place) + secret.slice(place + 2)
  },
  'swap far apart': (random, secret) => {
    const [one, other] = [random.below(secret.length), random.below(secret.length)]
    return put(put(secret, one, secret.charAt(other)), other, secret.charAt(one))
  },
  'case flip': (random, secret) => {
    const place = random.below(secret.length)
    return put(secret, place, flip(secret.charAt(place)))
  },

  // Several.
  substitutions: (random, secret) => {
    let text = secret
    for (let times = 2 + random.below(5); times > 0; times--)
      text = put(text, random.below(text.length), random.text(1, base62))
    return text
  },
  'upper case': (_, secret) => secret.toUpperCase(),
  'lower case': (_, secret) => secret.toLowerCase(),
  'all cases flipped': (_, secret) => Array.from(secret, flip).join(''),
  reversal: (_, secret) => Array.from(secret).toReversed().join(''),
  truncation: (random, secret) => secret.slice(0, random.below(secret.length)),
  'truncation at the start': (random, secret) => secret.slice(1 + random.below(secret.length - 1)),
  'without its checksum': (_, secret) => secret.slice(0, -checksumLength),
  'only its random part': (_, secret) => secret.slice(secret.lastIndexOf('_') + 1),
  'what people are shown of it': (_, secret) => secret.slice(0, secret.lastIndexOf('_') + 5),
  repetition: (random, secret) => secret.repeat(2 + random.below(3)),
  'two joined by a comma': (_, secret) => `${secret}, ${secret}`,

  // Well-formed: these reach the store.
  'wrong by one': wrongByOne,
  'wrong by some': (random, secret) => {
    let text = secret
    for (let times = 2 + random.below(5); times > 0; times--) text = wrongByOne(random, text)
    return text
  },
  'other random part': (random, secret) => withChecksum(startOf(secret) + random.text(32, base62)),
  'random part of another case': (_, secret) => {
    return withChecksum(startOf(secret) + Array.from(bodyOf(secret), flip).join(''))
  },
  'random part longer or shorter': (random, secret) => {
    return withChecksum(startOf(secret) + bodyOf(secret).slice(random.below(8)) + random.text(random.below(8), base62))
  },
  'other checksum': (random, secret) => secret.slice(0, -checksumLength) + random.text(checksumLength, base62),

  // Prefix and environment.
  'other environment': (random, secret) => {
    return withChecksum(
      `${prefixOf(secret)}_${random.pick(['test', 'dev', 'admin', 'live2', 'liv'])}_${bodyOf(secret)}`,
    )
  },
  'other prefix': (random, secret) => {
    const end = secret.slice(prefixOf(secret).length, -checksumLength)
    return withChecksum(random.pick(['sk', 'pk', 'lkk', 'l', 'k1', 'rk']) + end)
  },
  'other start, same checksum': (random, secret) => {
    return (
      random.pick(['LK_live_', 'lk_LIVE_', 'lk-live-', 'lk__live_', '_live_', 'lk_', 'lk_test_', '']) +
      bodyOf(secret) +
      secret.slice(-checksumLength)
    )
  },

  // Unicode.
  'look-alike': (random, secret) => {
    const places = Array.from(secret).flatMap((character, place) => (character in lookAlikes ? [place] : []))
    if (places.length === 0) return secret
    const place = random.pick(places)
    return put(secret, place, lookAlikes[secret.charAt(place)] ?? '')
  },
  'full-width character': (random, secret) => {
    const place = random.below(secret.length)
    return put(secret, place, String.fromCharCode(secret.charCodeAt(place) + 0xfee0))
  },
  'full width': (_, secret) =>
    Array.from(secret, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0)).join(''),
  'same low byte': (random, secret) => {
    const place = random.below(secret.length)
    return put(secret, place, String.fromCharCode(secret.charCodeAt(place) + 0x100 * (1 + random.below(0xd6))))
  },
  'same low bytes throughout': (random, secret) => {
    const page = 0x100 * (1 + random.below(0xd6))
    return Array.from(secret, (character) => String.fromCharCode(character.charCodeAt(0) + page)).join('')
  },
  'high bit set': (random, secret) => {
    const place = random.below(secret.length)
    return put(secret, place, String.fromCharCode(secret.charCodeAt(place) | 0x80))
  },
  'long s and Kelvin sign': (random, secret) => {
    // Lower case of K (U+212A) is k, upper case of ſ (U+017F) is S.
    const text = secret.replaceAll(/k/gi, '\u212a')
    return random.chance(0.5) ? text : text.replaceAll(/s/gi, '\u017f')
  },
  'invisible character': (random, secret) => insert(secret, random.below(secret.length + 1), random.pick(invisible)),
  'UTF-16 bytes': (_, secret) => Buffer.from(secret, 'utf16le').toString('latin1'),

  // Control characters and white space.
  'control character': (random, secret) =>
    insert(secret, random.below(secret.length + 1), String.fromCharCode(random.below(32))),
  'control character in place': (random, secret) =>
    put(secret, random.below(secret.length), String.fromCharCode(random.below(32))),
  'blank before': (random, secret) => random.pick(blanks) + secret,
  'blank after': (random, secret) => secret + random.pick(blanks),
  'blanks around': (random, secret) => random.pick(blanks) + secret + random.pick(blanks),
  'blank within': (random, secret) => insert(secret, 1 + random.below(secret.length - 1), random.pick(blanks)),
  'NUL and more': (random, secret) => `${secret}\u0000${random.text(random.below(20), ascii)}`,
  'new line and more': (random, secret) => `${secret}\n${random.text(random.below(20), ascii)}`,
  'something before a new line': (random, secret) => `${random.text(random.below(20), ascii)}\n${secret}`,

  // Length.
  'very long': (random, secret) => secret + random.text(1, base62).repeat(10 ** (1 + random.below(5))),
  'very long at the start': (random, secret) => random.text(1, base62).repeat(10 ** (1 + random.below(5))) + secret,
  'about as long as is read': (random, secret) => secret.padEnd(1020 + random.below(9), random.text(1, base62)),

  // The same key in other clothes.
  'SHA-256 in hexadecimal': (_, secret) => digest(secret).toString('hex'),
  'SHA-256 in upper case': (_, secret) => digest(secret).toString('hex').toUpperCase(),
  'SHA-256 in base64': (_, secret) => digest(secret).toString('base64'),
  'SHA-256 as bytes': (_, secret) => digest(secret).toString('latin1'),
  base64: (_, secret) => Buffer.from(secret).toString('base64'),
  base64url: (_, secret) => Buffer.from(secret).toString('base64url'),
  hexadecimal: (_, secret) => Buffer.from(secret).toString('hex'),
  'URL-encoded': (_, secret) => Array.from(secret, percent).join(''),
  'URL-encoded in one place': (random, secret) => {
    const place = random.below(secret.length)
    return put(secret, place, percent(secret.charAt(place)))
  },
  'escaped for JSON': (random, secret) => {
    const place = random.below(secret.length)
    return put(secret, place, `\\u${secret.charCodeAt(place).toString(16).padStart(4, '0')}`)
  },
  quoted: (random, secret) => {
    const [open, close] = random.pick(['""', "''", '``', '<>', '“”', '[]', '()', '{}']) as unknown as [string, string]
    return open + secret + close
  },
  'with its scheme': (random, secret) =>
    random.pick(['Bearer ', 'bearer ', 'ApiKey ', 'Basic ', 'Key ', 'Token ', 'X-API-Key: ']) + secret,
  'Basic authentication': (random, secret) => {
    return `Basic ${Buffer.from(random.pick([`${secret}:`, `:${secret}`, `user:${secret}`])).toString('base64')}`
  },
  'as a query': (_, secret) => `api_key=${secret}`,

  // Not from the secret at all.
  'random base62': (random, secret) => random.text(secret.length, base62),
  'random bytes': (random) => characters(random, 1 + random.below(64), 0x100),
  'random UTF-16': (random) => characters(random, 1 + random.below(64), 0x10000),
  'random in our shape': (random, secret) => startOf(secret) + random.text(38, base62),
  'words with a meaning': (random) =>
    random.pick([
      'null',
      'undefined',
      'true',
      '0',
      '__proto__',
      'constructor',
      'toString',
      '[object Object]',
      'NaN',
      '*',
      '%',
      "' OR '1'='1",
      '"; DROP TABLE latchkey_keys; --',
      '$1',
      '../../etc/passwd',
      '{{7*7}}',
      '${jndi:ldap://a}',
    ]),
  'GitHub token': (random) => `ghp_${withChecksum(random.text(30, base62))}`,
  'Stripe-like key': (random) => `sk_live_${random.text(24, base62)}`,
  'Slack token': (random) => `xoxb-${random.text(12, '0123456789')}-${random.text(24, base62)}`,
  'AWS key id': (random) => `AKIA${random.text(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
  UUID: (random) => [8, 4, 4, 4, 12].map((length) => random.text(length, '0123456789abcdef')).join('-'),
  JWT: (random, secret) => {
    const parts = [
      { alg: random.pick(['none', 'HS256', 'RS256']), typ: 'JWT' },
      { sub: secret, scope: 'process:run' },
    ]
    const encoded = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    return [...encoded, random.text(random.below(2) * 43, base64url)].join('.')
  },
}

/** The names of all mutations. */
export const mutationNames: readonly string[] = Object.keys(mutations)

/**
 * A credential made from a secret, or from nothing, in one of all the ways. Sometimes it equals the original, as after
 * a swap of two equal characters or a case flip of a digit. If you need a wrong one, check.
 */
export function mutate(random: Random, name: string, secret: string): string {
  const mutation = mutations[name]
  if (mutation === undefined) throw new RangeError(`There is no mutation named ${name}.`)
  return mutation(random, secret)
}

function put(text: string, place: number, piece: string): string {
  return text.slice(0, place) + piece + text.slice(place + 1)
}

function insert(text: string, place: number, piece: string): string {
  return text.slice(0, place) + piece + text.slice(place)
}

function flip(character: string): string {
  const lower = character.toLowerCase()
  return character === lower ? character.toUpperCase() : lower
}

function prefixOf(secret: string): string {
  return secret.slice(0, secret.indexOf('_'))
}

/** Up to the random part. */
function startOf(secret: string): string {
  return secret.slice(0, secret.lastIndexOf('_') + 1)
}

/** The random part. */
function bodyOf(secret: string): string {
  return secret.slice(secret.lastIndexOf('_') + 1, -checksumLength)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}

function characters(random: Random, length: number, bound: number): string {
  return Array.from({ length }, () => String.fromCharCode(random.below(bound))).join('')
}
