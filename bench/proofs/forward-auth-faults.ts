import type { Fault } from './proof.ts'

const server = 'packages/latchkey-server/src/http'
const token = 'packages/latchkey/src/identity/token.ts'

/** What the proof of forward-auth must find. */
export const faults: { readonly [name: string]: Fault } = {
  'strip-missing': {
    is: 'nginx passes on what a caller of an open path writes in the place of an identity',
    edits: [
      {
        file: 'examples/forward-auth/nginx/service.conf',
        text: '    proxy_set_header X-Latchkey-Identity "";\n',
        becomes: '',
      },
    ],
    shownBy: ['forgedSeen'],
  },
  'key-passed-on': {
    is: 'Caddy passes the key on to the service on guarded paths',
    edits: [
      {
        file: 'examples/forward-auth/caddy/Caddyfile',
        text: '\t\t\t}\n\t\t\treverse_proxy 127.0.0.1:8000 {\n\t\t\t\theader_up -X-API-Key\n\t\t\t}\n',
        becomes: '\t\t\t}\n\t\t\treverse_proxy 127.0.0.1:8000\n',
      },
    ],
    shownBy: ['keysSeen'],
  },
  'passes-without-answer': {
    is: 'HAProxy lets pass what Latchkey has not answered',
    edits: [
      {
        file: 'examples/forward-auth/haproxy/haproxy.cfg',
        text: 'hdr Retry-After 1 if !is_open !accepted',
        becomes: 'hdr Retry-After 1 if !is_open !accepted !{ var(txn.latchkey_status) -m int ge 500 }',
      },
    ],
    shownBy: ['otherStatuses', 'unidentified'],
  },
  'public-listener': {
    is: 'whoever reaches the listener may ask, without an admin key',
    edits: [
      {
        file: `${server}/forward-auth/proxies.ts`,
        text: 'return near || mayAskFrom(address)',
        becomes: 'return near || true',
      },
    ],
    shownBy: ['strangersAnswered'],
  },
  'path-decides': {
    is: 'the path that a proxy appends chooses the policy',
    edits: [
      {
        file: `${server}/forward-auth.ts`,
        text: "const [, policy, form = ''] = asked.exec(url) ?? []",
        becomes: "const [, policy, form = ''] = asked.exec(/\\/v1\\/forward-auth\\/other/.exec(url)?.[0] ?? url) ?? []",
      },
    ],
    shownBy: ['decidedByPath'],
  },
  'audience-unchecked': {
    is: 'an identity for another service is accepted',
    edits: [{ file: token, text: ` || claims['aud'] !== audience`, becomes: '' }],
    shownBy: ['forgedAccepted'],
  },
  'end-unchecked': {
    is: 'an identity is accepted after its end',
    edits: [
      {
        file: token,
        text: "if (now >= exp * 1000) return 'expired'",
        becomes: "if (now >= exp * 1e6) return 'expired'",
      },
    ],
    shownBy: ['forgedAccepted'],
  },
  'algorithm-unchecked': {
    is: 'an identity may name any algorithm, and no type',
    edits: [{ file: token, text: "alg !== 'EdDSA' || typ !== type || ", becomes: '' }],
    shownBy: ['forgedAccepted'],
  },
}
