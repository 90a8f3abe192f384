import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressMatcher, canonicalRange, rangesCover } from '../../src/policy/addresses.ts'

/** An address as one number of 32 or 128 bits, and one of the many ways to write it. */
interface Spelled {
  readonly bits: 32 | 128
  readonly value: bigint
  readonly text: string
}

const mappedBlock = 0xffffn << 32n

function dotted(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
}

/** Ways to write an IPv6 address: padded or not, upper or lower case, any run of zeros as `::`, the end as IPv4. */
function ipv6Text(
  value: bigint,
  { pad, upper, dots, cut }: { pad: boolean; upper: boolean; dots: boolean; cut: number },
) {
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - index * 16)) & 0xffffn)
  const written = groups.map((group) => group.toString(16).padStart(pad ? 4 : 1, '0'))
  const parts = dots ? [...written.slice(0, 6), dotted(value & 0xffffffffn)] : written
  const zeros = parts.findIndex((part, index) => index >= cut && /^0+$/.test(part))
  let text = parts.join(':')
  if (zeros !== -1) {
    let end = zeros
    while (end < parts.length && /^0+$/.test(parts[end] ?? '')) end++
    text = `${parts.slice(0, zeros).join(':')}::${parts.slice(end).join(':')}`
  }
  return upper ? text.toUpperCase() : text
}

const style = fc.record({ pad: fc.boolean(), upper: fc.boolean(), dots: fc.boolean(), cut: fc.nat(8) })
/** Few different values, so that ranges and addresses meet; also those around the mapped block. */
const value4 = fc.oneof(fc.bigInt(0n, 0xffffffffn), fc.constantFrom(0n, 0xffffffffn, 0x0a000001n, 0x0a800000n))
const group = fc.oneof(fc.constant(0n), fc.constantFrom(1n, 0xffffn, 0xfffen, 0x2001n), fc.bigInt(0n, 0xffffn))
const value6 = fc
  .array(group, { minLength: 8, maxLength: 8 })
  .map((groups) => groups.reduce((value, part) => (value << 16n) | part, 0n))
  .filter((value) => value >> 32n !== 0xffffn)
const spelled: fc.Arbitrary<Spelled> = fc.oneof(
  value4.map((value) => ({ bits: 32 as const, value, text: dotted(value) })),
  fc
    .tuple(value4, style)
    .map(([value, how]) => ({ bits: 32 as const, value, text: ipv6Text(mappedBlock | value, how) })),
  fc.tuple(value6, style).map(([value, how]) => ({ bits: 128 as const, value, text: ipv6Text(value, how) })),
)

interface SpelledRange extends Spelled {
  readonly prefix: number
}

const range: fc.Arbitrary<SpelledRange> = fc.tuple(spelled, fc.nat(128)).map(([address, any]) => {
  const prefix = any % (address.bits + 1)
  const written = address.bits === 32 && address.text.includes(':') ? prefix + 96 : prefix
  return { ...address, prefix, text: `${address.text}/${written}` }
})

function inRange({ bits, value, prefix }: SpelledRange, address: Spelled): boolean {
  const rest = BigInt(bits - prefix)
  return bits === address.bits && value >> rest === address.value >> rest
}

/** A range and an address that begins as it does, and differs from it after any number of bits. */
const near = fc.tuple(range, fc.nat(127), fc.bigInt(0n, (1n << 128n) - 1n)).map(([wide, shared, noise]) => {
  const rest = BigInt(wide.bits - (shared % wide.bits))
  const value = ((wide.value >> rest) << rest) | (noise & ((1n << rest) - 1n))
  const text = wide.bits === 32 ? dotted(value) : ipv6Text(value, { pad: false, upper: false, dots: false, cut: 0 })
  const isMapped = wide.bits === 128 && value >> 32n === 0xffffn
  return {
    wide,
    address: isMapped ? { bits: 32 as const, value: value & 0xffffffffn, text } : { ...wide, value, text },
  }
})

test('a range has one spelling', () => {
  const spellings: Readonly<Record<string, string>> = {
    '10.1.2.3/8': '10.0.0.0/8',
    '10.1.2.3': '10.1.2.3/32',
    '0.0.0.0/0': '0.0.0.0/0',
    '255.255.255.255/31': '255.255.255.254/31',
    '::': '::/128',
    '::/0': '::/0',
    '2001:DB8:0:0:1:0:0:1': '2001:db8::1:0:0:1/128',
    '2001:0db8::0001:0000/111': '2001:db8::/111',
    '1:0:2:3:4:5:6:7': '1:0:2:3:4:5:6:7/128',
    'fe80::1/10': 'fe80::/10',
    '::ffff:10.0.0.0/104': '10.0.0.0/8',
    '::FFFF:a01:203': '10.1.2.3/32',
    '::ffff:0:0/96': '0.0.0.0/0',
    '64:ff9b::1.2.3.4': '64:ff9b::102:304/128',
    '::1.2.3.4': '::102:304/128',
  }
  for (const [text, expected] of Object.entries(spellings)) assert.equal(canonicalRange(text), expected, text)
})

test('what is not plainly a range is none, and matches nothing', () => {
  const texts = [
    '',
    '/',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/8.0',
  ]
  texts.push(
    '10.0.0.0/1e1',
    '10.0.0.0/0x8',
    '10.0.0/8',
    '10.0.0.0.0',
    '010.0.0.1',
    '10.00.0.1',
    '256.0.0.1',
    '0x0a.0.0.1',
  )
  texts.push(
    '10.0.0.1:80',
    '[::1]',
    '[::1]:80',
    ' 10.0.0.1',
    '10.0.0.1 ',
    '10.0.0.0 /8',
    '10.0.0.1\n',
    '١.0.0.1',
    '10.0.0.*',
  )
  texts.push(
    '::/129',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::00001',
    'g::',
  )
  texts.push(
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '::1.2.3',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1%eth0',
  )
  texts.push(
    'fe80::1%1/64',
    'localhost',
    '1:ffff:1.2.3.4',
    ':::ffff:1.2.3.4',
    '*',
    'unknown',
    `::${'0'.repeat(100)}`,
    '::ffff:10.0.0.0/8',
    '::ffff:0:0/95',
  )
  for (const text of texts) {
    assert.equal(canonicalRange(text), undefined, JSON.stringify(text))
    assert.equal(addressMatcher([text])('10.0.0.1'), false, text)
    assert.equal(addressMatcher([text])('::1'), false, text)
    if (!text.includes('/')) assert.equal(addressMatcher(['0.0.0.0/0', '::/0'])(text), false, JSON.stringify(text))
    assert.equal(rangesCover(['0.0.0.0/0', '::/0'], [text]), false, text)
    assert.equal(rangesCover([text], ['10.0.0.1']), false, text)
  }
})

test('what is an address is what Node says is one, zones aside', () => {
  const part = fc.constantFrom(
    '0',
    '1',
    'ffff',
    'FFFF',
    '00a',
    '12345',
    '1.2.3.4',
    '1.2.3',
    '01.2.3.4',
    '256',
    '::',
    ':',
    '.',
    '',
  )
  const rough = fc.array(part, { maxLength: 10 }).chain((parts) => fc.constantFrom(parts.join(':'), parts.join('')))
  fc.assert(
    fc.property(
      fc.oneof(
        rough,
        spelled.map(({ text }) => text),
      ),
      (text) => {
        assert.equal(canonicalRange(text) !== undefined, isIP(text) !== 0, text)
      },
    ),
    { numRuns: 3000 },
  )
})

test('an address matches a range as their numbers say, however both are written', () => {
  const pairs = fc.oneof(near, fc.record({ wide: range, address: spelled }))
  fc.assert(
    fc.property(pairs, fc.array(range, { maxLength: 2 }), ({ wide, address }, others) => {
      const ranges = [...others, wide]
      const expected = ranges.some((one) => inRange(one, address))
      assert.equal(addressMatcher(ranges.map(({ text }) => text))(address.text), expected)
    }),
    { numRuns: 3000 },
  )
})

test('a canonical spelling is that of every other spelling, and of itself', () => {
  fc.assert(
    fc.property(range, (one) => {
      const text = canonicalRange(one.text)
      assert.ok(text)
      assert.equal(canonicalRange(text), text)
      const rest = BigInt(one.bits - one.prefix)
      const base = (one.value >> rest) << rest
      const plain = one.bits === 32 ? dotted(base) : ipv6Text(base, { pad: true, upper: true, dots: false, cut: 8 })
      assert.equal(canonicalRange(`${plain}/${one.prefix}`), text)
      if (one.bits === 32) return
      // The URL standard writes hosts by the same rules as RFC 5952.
      assert.equal(text, `${new URL(`http://[${plain}]`).hostname.slice(1, -1)}/${one.prefix}`)
    }),
    { numRuns: 2000 },
  )
})

test('IPv6 ranges let no IPv4 address in, and the other way round', () => {
  const [every4, every6] = [addressMatcher(['0.0.0.0/0']), addressMatcher(['::/0', '::/64', '::fffe:0:0/95'])]
  for (const address of ['10.0.0.1', '::ffff:10.0.0.1', '::ffff:a00:1']) {
    assert.deepEqual([every4(address), every6(address)], [true, false], address)
  }
  assert.deepEqual([every4('::1'), every6('::1')], [false, true])
  assert.equal(rangesCover(['::/0'], ['10.0.0.0/8']), false)
  assert.equal(rangesCover(['0.0.0.0/0'], ['::1']), false)
})

test('no ranges let nobody in', () => {
  assert.equal(addressMatcher([])('10.0.0.1'), false)
  assert.equal(rangesCover([], ['10.0.0.1']), false)
  assert.equal(rangesCover([], []), true)
})

test('ranges cover others if each of these lies in one of them, and then let in whom those let in', () => {
  const lists = fc.tuple(
    fc.array(range, { minLength: 1, maxLength: 3 }),
    fc.array(near, { minLength: 1, maxLength: 3 }),
  )
  let covered = 0
  fc.assert(
    fc.property(lists, fc.nat(128), spelled, ([others, inners], longer, anyone) => {
      const inner = inners.map(({ wide, address }) => {
        const prefix = Math.min(address.bits, wide.prefix + (longer % 9))
        const written = address.bits === 32 && address.text.includes(':') ? prefix + 96 : prefix
        return { ...address, prefix, text: `${address.text}/${written}` }
      })
      const outer = [...others, ...inners.map(({ wide }) => wide)]
      const expected = inner.every((one) => outer.some((wide) => wide.prefix <= one.prefix && inRange(wide, one)))
      const texts = [outer, inner].map((ranges) => ranges.map(({ text }) => text))
      const [outerTexts = [], innerTexts = []] = texts
      assert.equal(rangesCover(outerTexts, innerTexts), expected)
      if (!expected) return
      covered++
      const [byOuter, byInner] = [addressMatcher(outerTexts), addressMatcher(innerTexts)]
      for (const { text } of [anyone, ...inner.map((one) => ({ text: one.text.split('/')[0] ?? '' }))]) {
        assert.ok(!byInner(text) || byOuter(text), text)
      }
    }),
    { numRuns: 2000 },
  )
  assert.ok(covered > 100, `${covered} were covered`)
})
