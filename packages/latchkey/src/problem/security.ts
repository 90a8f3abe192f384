/**
 * What an answer that is no page tells browsers: nothing in it is to be run, shown in a frame, or read by other origins.
 * No Strict-Transport-Security: it is for a whole host, and for whoever speaks TLS to decide.
 *
 * @example app.addHook('onRequest', async (_request, reply) => reply.headers(securityHeaders))
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}
