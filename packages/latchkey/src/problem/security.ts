/**
 * Headers for an answer that is no page: a browser must not run it, show it in a frame, or let other origins read it. There
 * is no Strict-Transport-Security, which is for a whole host and belongs to what speaks TLS.
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
