import type { JournalReport, Keyring, OpenKeyring } from 'latchkey'
import { adminEnvironment } from 'latchkey'
import { advised, issueAdmin } from '../advice.ts'
import { faultText, isUntold, patiently } from '../journal/verify.ts'
import type { TargetOptions } from '../target.ts'
import { upgrade } from '../target.ts'
import { counted, grouped } from '../terminal/progress.ts'
import type { Finding } from './finding.ts'
import { good, note, reasonOf, wrong } from './finding.ts'
import { clockFinding, clockTolerance } from './platform.ts'

/** When it is looked at, and how it was reached. */
interface Circumstances {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly options: TargetOptions
}

/** What the keyring itself tells: its journal, the clock by it, and whether somebody can administer it. */
export async function keyringFindings(keyring: Keyring, { now, options }: Circumstances): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  try {
    const report = await patiently('Checking the journal', keyring.verifyJournal({ rows: true }))
    findings.push(journalFinding(report, options))
  } catch (error) {
    const remedy = 'Ask with an admin key that may read the whole journal (journal:read).'
    findings.push(note({ what: 'journal', found: reasonOf(error), remedy }))
  }
  findings.push(await clockFindingBy(keyring, now))
  const scopes = Object.keys(keyring.scopes).length
  findings.push(
    scopes === 0
      ? note({
          what: 'scopes',
          found: 'none are declared, so that keys can be allowed nothing',
          remedy:
            'The application that opens the keyring declares them, and for a server a file (LATCHKEY_SCOPES_FILE).',
        })
      : good('scopes', `${scopes} declared`),
    ...(await lostFindings(keyring, options)),
  )
  findings.push(await adminFinding(keyring, options))
  return findings
}

function journalFinding(report: JournalReport, options: TargetOptions): Finding {
  const whole = `whole, ${counted(report.entries, 'entry', 'entries')}`
  if (report.intact) return good('journal', whole)
  const remedy = 'Keep the database as it is, find out who wrote to it, and restore a backup.'
  if (report.fault !== 'rows') return wrong({ what: 'journal', found: faultText(report), remedy })
  const what = 'rows'
  const many = (one: string, several: string): string => {
    const { length } = report.rows
    return report.more
      ? `more than ${grouped(length)} keys and owners ${several}`
      : counted(length, `key or owner ${one}`, `keys and owners ${several}`)
  }
  if (isUntold(report)) {
    const found = `the journal does not say how ${many('stood', 'stood')}, since an older version wrote it`
    return note({ what, found, remedy: 'Make a backup, then let it say so:', commands: upgrade(options) })
  }
  const found = `${many('is', 'are')} not what the journal says`
  return wrong({
    what,
    found,
    remedy: `${remedy} Which they are:`,
    commands: [advised('journal verify --rows', options)],
  })
}

/** Only beside the database: over HTTP nobody is told what all keys hold. */
async function lostFindings(keyring: Keyring, options: TargetOptions): Promise<readonly Finding[]> {
  const lost = 'lostScopes' in keyring ? await (keyring as OpenKeyring).lostScopes() : []
  if (lost.length === 0 || Object.keys(keyring.scopes).length === 0) return []
  const found = `keys hold what is no longer declared, and cannot use it: ${lost.join(', ')}`
  // Enough to begin with: when these are mended it says the next.
  const commands = lost.slice(0, 5).map((scope) => advised(`keys list --scope ${scope}`, options))
  return [note({ what: 'scopes', found, remedy: 'Declare it again, or take it from the keys that have it:', commands })]
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

async function adminFinding(keyring: Keyring, options: TargetOptions): Promise<Finding> {
  const what = 'admin keys'
  try {
    const { keys } = await keyring.list({ environment: adminEnvironment, state: 'active', limit: 1 })
    if (keys.length > 0) return good(what, 'there is one that works')
    const remedy = 'Nobody can administer the keys through a server. Issue one:'
    return note({ what, found: 'none works', remedy, commands: [advised(issueAdmin, options)] })
  } catch (error) {
    return note({ what, found: reasonOf(error), remedy: 'Ask with an admin key that may list keys (keys:read).' })
  }
}
