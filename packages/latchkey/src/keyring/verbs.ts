import { bounds, text } from '../input.ts'
import { verifyJournal } from '../journal/verify-journal.ts'
import type { UnderWay } from '../under-way.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { Verifier } from '../verify/verdict.ts'
import { authorityOf, mustSeeAll } from './authority.ts'
import type { RotateOptions } from './call-options.ts'
import { change } from './change.ts'
import { disable, enable } from './disable.ts'
import { eraseKey } from './deletion/erase-key.ts'
import { eraseOwner } from './deletion/erase-owner.ts'
import { importMany } from './import.ts'
import type { Issued, IssuedOrRepeated, IssueOptions } from './issue.ts'
import { issue, issueMany } from './issue.ts'
import { keyOfKept } from './key.ts'
import type { Keyring } from './keyring.ts'
import { list } from './reading/list.ts'
import { changeOwner, findOwner } from './owners.ts'
import { readCounts } from './reading/counts.ts'
import { findEntry, readJournal } from './reading/journal.ts'
import type { BackgroundCheck } from './reading/journal-head.ts'
import { readJournalHead } from './reading/journal-head.ts'
import { findRefusal, readRefusals } from './reading/refusals.ts'
import { readUsageSeries } from './reading/usage-series.ts'
import { listOwners } from './reading/owners.ts'
import { readUsage } from './reading/usage.ts'
import { why } from './reading/why.ts'
import { whoami } from './reading/whoami.ts'
import { revoke } from './revoke.ts'
import type { Rotated } from './rotate.ts'
import { retire, rotate } from './rotate.ts'
import { verifyMany } from './verify-many.ts'

/** What the verbs share with those of other admin keys, but for the verifier. */
interface Acting<Scope extends string> extends Pick<UnderWay, 'during'> {
  readonly verify: Verifier<Scope>['verify']
  readonly check: BackgroundCheck
}

/** The verbs of a keyring, with the rights of `parts.authority`. */
export function verbsOf<Scope extends string>(
  parts: KeyringParts<Scope>,
  { verify, during, check }: Acting<Scope>,
): Omit<Keyring<Scope>, 'credential' | 'noteRefusal' | 'close'> {
  const { store, clock, scopes, environments } = parts
  return {
    scopes,
    environments,
    verify,
    verifyMany: (calls, options = {}) => verifyMany(verify, calls, options),
    issue: (options: IssueOptions<Scope>) =>
      during(issue(parts, options)) as Promise<Issued<Scope> & IssuedOrRepeated<Scope>>,
    issueMany: (keys, options = {}) => during(issueMany(parts, keys, options)),
    importMany: (keys, options = {}) => during(importMany(parts, keys, options)),
    change: (id, patch, options = {}) => during(change(parts, id, { patch, options })),
    // Without an idempotency key nothing is repeated, and there is a secret.
    rotate: (id: string, options: RotateOptions = {}) => during(rotate(parts, id, options)) as Promise<Rotated<Scope>>,
    retire: (id, options = {}) => during(retire(parts, id, options)),
    disable: (id, options = {}) => during(disable(parts, id, options)),
    enable: (id, options = {}) => during(enable(parts, id, options)),
    revoke: (id, options) => during(revoke(parts, id, options)),
    eraseOwner: (owner, options = {}) => during(eraseOwner(parts, owner, options)),
    eraseKey: (id, options = {}) => during(eraseKey(parts, id, options)),
    list: (options = {}) => list(parts, options),
    counts: (options = {}) => readCounts(parts, options),
    owners: (options = {}) => listOwners(parts, options),
    owner: (owner) => findOwner(parts, owner),
    changeOwner: (owner, patch, options = {}) => during(changeOwner(parts, owner, { patch, options })),
    async find(id) {
      const authority = await authorityOf(parts, 'keys:read')
      const kept = await store.byId(text('id', id, bounds.label))
      return kept === undefined || !authority.sees(kept.key) ? undefined : keyOfKept<Scope>(kept, clock.now())
    },
    journal: (options = {}) => readJournal(parts, options),
    journalEntry: (seq) => findEntry(parts, seq),
    journalHead: () => readJournalHead(parts, check),
    async verifyJournal(options = {}) {
      mustSeeAll(await authorityOf(parts, 'journal:read'))
      return verifyJournal(store, options)
    },
    usage: (options = {}) => readUsage(parts, options),
    usageSeries: (options = {}) => readUsageSeries(parts, options),
    whoami: () => whoami(parts),
    refusal: (requestId) => findRefusal(parts, requestId),
    refusals: (options = {}) => readRefusals(parts, options),
    why: (options = {}) => why(parts, options),
  }
}
