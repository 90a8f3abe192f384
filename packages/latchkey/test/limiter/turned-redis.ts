import { createHash } from 'node:crypto'
import { createClient } from '@redis/client'
import type { NodeRedis } from '../../src/ports.ts'

const clock = `redis.call('TIME')`
const expiry = `'PX', `

/**
 * A client that runs the limiter's scripts by the time in a key instead of the clock of Redis. What they store does not
 * expire meanwhile, because that is by the clock of Redis.
 */
export function turnedClient(url: string, clockKey: string): NodeRedis {
  const turned = new Map<string, string>()
  const turn = (text: string): string => {
    const changed = text
      .replaceAll(clock, `({ 0, redis.call('GET', '${clockKey}') })`)
      .replaceAll(expiry, `'PX', 3600000 + `)
    turned.set(sha1(text), sha1(changed))
    return changed
  }
  const wrap = (client: NodeRedis): NodeRedis => ({
    options: client.options,
    duplicate: (overrides) => wrap(client.duplicate(overrides)),
    connect: () => client.connect(),
    destroy: () => client.destroy(),
    on: (event, listener) => client.on(event, listener),
    sendCommand: ([command = '', first = '', ...rest]) => {
      if (command === 'SCRIPT') return client.sendCommand([command, first, ...rest.map(turn)])
      if (command === 'EVAL') return client.sendCommand([command, turn(first), ...rest])
      return client.sendCommand([command, turned.get(first) ?? first, ...rest])
    },
  })
  return wrap(createClient({ url }))
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}
