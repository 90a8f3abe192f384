/**
 * For the option `skip` of a test: `false` where what it needs is there, else what is missing. With
 * `LATCHKEY_TEST_COMPLETE=1` nothing may be skipped.
 *
 * @throws Error where it would be skipped and may not.
 */
export function skipUnless(isThere: boolean, missing: string): string | false {
  if (isThere) return false
  if (process.env['LATCHKEY_TEST_COMPLETE'] === '1')
    throw new Error(`${missing}: LATCHKEY_TEST_COMPLETE wants all tests`)
  return missing
}
