/**
 * Whether a host is reached without a network. It is as `URL` writes it, which has one spelling for every form of
 * 127.0.0.1.
 */
export function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
