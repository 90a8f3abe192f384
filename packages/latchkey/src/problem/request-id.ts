import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** The header of an answer with the id of its request: the id in the log, and in the `instance` of a problem. */
export const requestIdHeader = 'x-request-id'

/** Ids that a header can carry: an application may take ids from its callers, or make them of anything. */
const sendable = /^[\x21-\x7e]{1,200}$/

/** The last id that was made here. It needs no look whether a header can carry it. */
let made = ''

/** Makes the id of a request: a random UUID. */
export function makeRequestId(): string {
  made = randomUUID()
  return made
}

/** Puts the id of a request into the header of its answer, if a header can carry it. */
export function sendRequestId({ id }: FastifyRequest, reply: FastifyReply): void {
  if (id === made || sendable.test(id)) reply.header(requestIdHeader, id)
}
