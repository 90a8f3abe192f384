import type { Keyring } from 'latchkey'
import { adminEnvironment } from 'latchkey'
import { faultText, patiently } from '../journal/verify.ts'
import { counted } from '../terminal/progress.ts'
import type { Finding } from './finding.ts'
import { good, note, reasonOf, wrong } from './finding.ts'
import { clockFinding, clockTolerance } from './platform.ts'

/** What the keyring itself tells: its journal, the clock by it, and whether somebody can administer it. */
export async function keyringFindings(keyring: Keyring, now: number): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  try {
    const report = await patiently('Checking the journal', keyring.verifyJournal())
    findings.push(
      report.whole
        ? good('journal', `whole, ${counted(report.entries, 'entry', 'entries')}`)
        : wrong(
            'journal',
            faultText(report),
            'Keep the database as it is, find out who wrote to it, and restore a backup.',
          ),
    )
  } catch (error) {
    findings.push(
      note('journal', reasonOf(error), 'Ask with an admin key that may read the whole journal (journal:read).'),
    )
  }
  findings.push(await clockFindingBy(keyring, now))
  const scopes = Object.keys(keyring.scopes).length
  findings.push(
    scopes === 0
      ? note(
          'scopes',
          'none are declared',
          'Declare them in a file and set LATCHKEY_SCOPES_FILE, or keys can be allowed nothing.',
        )
      : good('scopes', `${scopes} declared`),
  )
  findings.push(await adminFinding(keyring))
  return findings
}

async function clockFindingBy(keyring: Keyring, now: number): Promise<Finding> {
  try {
    const [future] = await keyring.journal({ from: now + clockTolerance, limit: 1 })
    return clockFinding(future?.at, now)
  } catch {
    // Who may not read the journal has been told so.
    return clockFinding(undefined, now)
  }
}

async function adminFinding(keyring: Keyring): Promise<Finding> {
  try {
    const { keys } = await keyring.list({ environment: adminEnvironment, state: 'active', limit: 1 })
    return keys.length > 0
      ? good('admin keys', 'there is one that works')
      : note(
          'admin keys',
          'none works',
          'latchkey serve prints one, once; or issue one: latchkey keys issue --environment admin …',
        )
  } catch (error) {
    return note('admin keys', reasonOf(error), 'Ask with an admin key that may list keys (keys:read).')
  }
}
