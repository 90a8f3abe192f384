import { LatchkeyError } from '../error.ts'
import { isThisMachine } from '../this-machine.ts'

/**
 * The address of a server without its last slash, so that paths can follow. A prefix such as `/latchkey` stays.
 *
 * @param insecure - whether the key may go over http to another machine.
 *
 * @throws LatchkeyError `invalid_input`. The message does not repeat the address: the key may have been put into it by mistake.
 */
export function checkedBase(url: string, insecure: unknown): string {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
  const must = (what: string): LatchkeyError => new LatchkeyError('invalid_input', `url must ${what}.`)
  if (parsed === undefined || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    throw must('be the address of a server, such as https://keys.example.com/latchkey')
  }
  if (parsed.username !== '' || parsed.password !== '') throw must('have no user name or password in it')
  if (parsed.search !== '' || parsed.hash !== '') throw must('have no query and no fragment')
  if (parsed.protocol === 'http:' && insecure !== true && !isThisMachine(parsed.hostname)) {
    const otherwise = 'Where the network is encrypted by other means, say insecure: true'
    throw must(`begin with https://: over http the key can be read on its way to another machine. ${otherwise}`)
  }
  return parsed.origin + parsed.pathname.replace(/\/+$/, '')
}
