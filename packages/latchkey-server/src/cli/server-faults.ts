/** One thing that a server finds wrong with a request. */
export interface ServerFault {
  /** The parts of the path to the value. */
  readonly path: readonly string[]
  /** What it must be, or what is wrong with it. */
  readonly must: string
}

/** The faults that a server has listed, from the message of the error; empty if it has listed none. */
export function serverFaults(message: string): readonly ServerFault[] {
  const [, list = ''] = /^The \w+ does not fit\. (\/[^]*)\.$/.exec(message) ?? []
  return list.split(/; (?=\/)/).flatMap((fault) => {
    const [, pointer, must = ''] = /^\/(\S+) ([^]+)$/.exec(fault) ?? []
    return pointer === undefined ? [] : [{ path: pointer.split('/').map(unescaped), must }]
  })
}

/** Unescapes a part of a JSON Pointer (RFC 6901 4). */
function unescaped(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~')
}
