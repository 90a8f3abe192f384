const decoder = new TextDecoder('utf-8', { fatal: true })

/** The text that bytes are in UTF-8, without a byte order mark; `undefined` where they are no such text. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** An object or an array that is being read: the names that it has so far, or how many elements. */
interface Level {
  readonly names: Set<string> | undefined
  /** The part of a pointer that leads on from here. */
  part: string | number
}

/**
 * Finds the first member that an object has twice, and returns its JSON Pointer; `undefined` if there is none. RFC 8259 4
 * leaves open which of the two counts, so two readers of one text may see different things.
 *
 * @param text - well-formed JSON.
 *
 * @example repeatedMember('{"a":{"b":1,"b":2}}') // '/a/b'
 */
export function repeatedMember(text: string): string | undefined {
  const levels: Level[] = []
  // Between two of these there is nothing that matters: numbers, words, white space, and the colons after names.
  const token = /["{}[\],]/g
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const level = levels.at(-1)
    switch (found[0]) {
      case '{':
        levels.push({ names: new Set(), part: '' })
        break
      case '[':
        levels.push({ names: undefined, part: 0 })
        break
      case '}':
      case ']':
        levels.pop()
        break
      case ',':
        if (typeof level?.part === 'number') level.part++
        break
      default: {
        const end = endOfString(text, found.index)
        token.lastIndex = end
        if (level?.names === undefined || !isName(text, end)) break
        const name = JSON.parse(text.slice(found.index, end)) as string
        level.part = name
        if (level.names.has(name)) return levels.map(({ part }) => `/${pointerPart(String(part))}`).join('')
        level.names.add(name)
      }
    }
  }
  return undefined
}

/**
 * Whether a text has a name for each member of the value that was parsed from it, so that no member is given twice. It
 * takes a fraction of the time that `repeatedMember` takes to say which one is.
 *
 * @param text - well-formed JSON.
 */
export function hasEachNameOnce(text: string, value: unknown): boolean {
  return namesIn(text) === membersIn(value)
}

function namesIn(text: string): number {
  let names = 0
  let end = 0
  for (let start = text.indexOf('"'); start !== -1; start = text.indexOf('"', end)) {
    end = endOfString(text, start)
    if (text.charCodeAt(end) === colonCode || isName(text, end)) names++
  }
  return names
}

/** Not by calling itself: a body may be as deep as it is long. */
function membersIn(value: unknown): number {
  let members = 0
  const open = [value]
  while (open.length > 0) {
    const one = open.pop()
    if (typeof one !== 'object' || one === null) continue
    const values: readonly unknown[] = Array.isArray(one) ? one : Object.values(one)
    if (!Array.isArray(one)) members += values.length
    for (const inner of values) if (typeof inner === 'object') open.push(inner)
  }
  return members
}

/** RFC 6901 3: `~` and `/` are escaped, in this order. */
export function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** The index after the closing quotation mark of the string that begins here. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end + 1
}

function isEscaped(text: string, index: number): boolean {
  let first = index
  while (text[first - 1] === '\\') first--
  return (index - first) % 2 === 1
}

const colonCode = 58
const colon = /[ \t\n\r]*:/y

function isName(text: string, after: number): boolean {
  colon.lastIndex = after
  return colon.test(text)
}
