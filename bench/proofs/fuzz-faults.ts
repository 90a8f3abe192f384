import type { Proof } from './proof.ts'

const guard = 'packages/latchkey/src/guard/fastify.ts'

/** What `fuzz` must find. */
export const faults: Proof['faults'] = {
  'case-ignored': {
    is: 'secrets are hashed in lower case, so that other spellings are accepted',
    edits: [
      {
        file: 'packages/latchkey/src/secret/hash.ts',
        text: "hash('sha256', secret, 'hex')",
        becomes: "hash('sha256', secret.toLowerCase(), 'hex')",
      },
    ],
    shownBy: ['accepted'],
  },
  'last-of-two': {
    is: 'if a request has two keys, the last one counts',
    edits: [
      {
        file: 'packages/latchkey/src/guard/credential.ts',
        text: '    if (value !== undefined) return twoCredentials\n',
        becomes: '',
      },
    ],
    shownBy: ['accepted', 'letThroughByLog'],
  },
  'method-thrown': {
    is: 'a method that a path does not accept is a server error',
    edits: [
      {
        file: 'packages/latchkey/src/problem/fastify.ts',
        text: "reply.header('allow', allowed.join(', '))",
        becomes: 'throw new Error(request.method)',
      },
    ],
    shownBy: ['serverErrors'],
  },
  'headers-logged': {
    is: 'the log contains the headers of requests',
    edits: [
      {
        file: guard,
        text: 'req: (request) => ({ method: request.method,',
        becomes: 'req: (request) => ({ headers: request.headers, method: request.method,',
      },
    ],
    shownBy: ['logLinesWithKey'],
  },
}
