import type { JournalReport, Keyring, OpenKeyring } from 'latchkey'
import { adminEnvironment } from 'latchkey'
import { advised, issueAdmin } from '../advice.ts'
import { faultText, isUntold } from '../journal/report.ts'
import type { TargetOptions } from '../target.ts'
import { upgrade } from '../target.ts'
import { counted, grouped, patiently } from '../terminal/progress.ts'
import type { Finding } from './finding.ts'
import { fail, ok, reasonOf, warn } from './finding.ts'
import { clockFinding, clockTolerance } from './platform.ts'

/** The time of the check, and how the keyring was reached. */
interface Circumstances {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly options: TargetOptions
}

/** Checks the keyring itself: its journal, the clock, its scopes, and its admin keys. */
export async function keyringFindings(keyring: Keyring, { now, options }: Circumstances): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  try {
    const report = await patiently('Checking the journal', keyring.verifyJournal({ rows: true }))
    findings.push(journalFinding(report, options))
  } catch (error) {
    const remedy = 'Use an admin key that may read the whole journal (journal:read).'
    findings.push(warn({ what: 'journal', found: reasonOf(error), remedy }))
  }
  findings.push(await clockFindingBy(keyring, now))
  const scopes = Object.keys(keyring.scopes).length
  findings.push(
    scopes === 0
      ? warn({
          what: 'scopes',
          found: 'none are declared, so no key can be granted any',
          remedy:
            'Declare them in the application that opens the keyring, or for a server in the file that LATCHKEY_SCOPES_FILE names.',
        })
      : ok('scopes', `${scopes} declared`),
    ...(await lostFindings(keyring, options)),
  )
  findings.push(await adminFinding(keyring, options))
  return findings
}

function journalFinding(report: JournalReport, options: TargetOptions): Finding {
  const intact = `intact, ${counted(report.entries, 'entry', 'entries')}`
  if (report.intact) return ok('journal', intact)
  const remedy = 'Leave the database as it is, find out who wrote to it, then restore a backup.'
  if (report.fault !== 'rows') return fail({ what: 'journal', found: faultText(report), remedy })
  const what = 'rows'
  const many = (one: string, several: string): string => {
    const { length } = report.rows
    return report.more
      ? `more than ${grouped(length)} keys and owners ${several}`
      : counted(length, `key or owner ${one}`, `keys and owners ${several}`)
  }
  if (isUntold(report)) {
    const found = `an older version wrote ${many('that', 'that')} the journal does not record`
    return warn({ what, found, remedy: 'Make a backup, then migrate:', commands: upgrade(options) })
  }
  const found = `${many('differs', 'differ')} from the journal`
  return fail({
    what,
    found,
    remedy: `${remedy} To see which:`,
    commands: [advised('journal verify --rows', options)],
  })
}

/** Checks for scopes that are no longer declared. Only on the database: over HTTP nobody sees what all keys hold. */
async function lostFindings(keyring: Keyring, options: TargetOptions): Promise<readonly Finding[]> {
  const lost = 'lostScopes' in keyring ? await (keyring as OpenKeyring).lostScopes() : []
  if (lost.length === 0 || Object.keys(keyring.scopes).length === 0) return []
  const found = `keys hold scopes that are no longer declared and cannot be used: ${lost.join(', ')}`
  // Five are enough to begin with: the next run names the next ones.
  const commands = lost.slice(0, 5).map((scope) => advised(`keys list --scope ${scope}`, options))
  return [
    warn({
      what: 'scopes',
      found,
      remedy: 'Declare them again, or remove them from the keys. To list these keys:',
      commands,
    }),
  ]
}

async function clockFindingBy(keyring: Keyring, now: number): Promise<Finding> {
  try {
    const {
      entries: [future],
    } = await keyring.journal({ from: now + clockTolerance, limit: 1 })
    return clockFinding(future?.at, now)
  } catch {
    // The finding on the journal says already that it may not be read.
    return clockFinding(undefined, now)
  }
}

async function adminFinding(keyring: Keyring, options: TargetOptions): Promise<Finding> {
  const what = 'admin keys'
  try {
    const { keys } = await keyring.list({ environment: adminEnvironment, state: 'active', limit: 1 })
    if (keys.length > 0) return ok(what, 'at least one works')
    const remedy = 'Without one, keys cannot be managed through a server. Issue one:'
    return warn({ what, found: 'none works', remedy, commands: [advised(issueAdmin, options)] })
  } catch (error) {
    return warn({ what, found: reasonOf(error), remedy: 'Use an admin key that may list keys (keys:read).' })
  }
}
