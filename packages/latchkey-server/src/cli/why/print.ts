import type { Entry, KeyDetails, RefusalRecord, Why } from 'latchkey'
import { advised } from '../advice.ts'
import { iso, localText } from '../input/when.ts'
import { sentenceOf } from '../journal/sentence.ts'
import type { TargetOptions } from '../target.ts'
import { printable, put, putText, styled } from '../terminal/print.ts'
import { counted } from '../terminal/progress.ts'
import { putHanging } from '../terminal/table.ts'
import { remedyOf } from './remedies.ts'

/** What is told, and to whom. */
interface Telling {
  readonly why: Why
  /** The keys that were refused, as they are now, by their ids. */
  readonly keys: ReadonlyMap<string, KeyDetails>
  /** The owner, the key or the request that was asked about. */
  readonly about: string
  readonly options: TargetOptions
}

/** Prints what happened, as sentences: what was refused and why, what to do, what was changed, and how often it was used. */
export function putWhy({ why, keys, about, options }: Telling): void {
  const { from, to, refusals, entries, causes, usage, complete } = why
  putText(printable(`${about}, from ${localText(from)} to ${localText(to)}.`))
  heading('Refused')
  if (refusals.length === 0) putText(noRefusals(why, options))
  for (const group of grouped(refusals)) {
    const [last] = group
    const key = last.keyId === undefined ? undefined : keys.get(last.keyId)
    putHanging('  ', printable(refusedText(group, key)))
    const cause = causes.find(({ key: id, code }) => id === last.keyId && code === last.code)
    if (cause !== undefined) putHanging('    Because: ', printable(causeText(cause.entry)))
    const { say, commands = [] } = remedyOf({ refusal: last, key })
    putHanging('    What to do: ', printable(say))
    for (const command of commands) put(`      ${printable(advised(command, options))}`)
  }
  heading('Changed')
  if (entries.length === 0) putText('Nothing was changed.')
  for (const entry of entries) putHanging('  ', printable(causeText(entry)))
  heading('Used')
  if (usage.length === 0) putText('No call was counted in these hours.')
  for (const [hour, outcomes] of Map.groupBy(usage, (one) => one.hour)) {
    const counts = outcomes.map(({ outcome, count }) => `${count} ${outcome}`).join(', ')
    putHanging(`  ${localText(hour)}, an hour: `, counts)
  }
  if (!complete) putText('There is more than is shown: look at fewer minutes, or at one key.')
}

function heading(text: string): void {
  put('')
  put(styled('bold', text))
}

/** Refusals of one key with one code, the newest first. */
type Group = readonly [RefusalRecord, ...RefusalRecord[]]

function grouped(refusals: readonly RefusalRecord[]): readonly Group[] {
  // Each group has one at least.
  return [...Map.groupBy(refusals, ({ keyId, code }) => `${keyId} ${code}`).values()] as unknown as readonly Group[]
}

function refusedText(group: Group, key: KeyDetails | undefined): string {
  const [last] = group
  const first = group.at(-1) ?? last
  const calls = group.reduce((sum, { count }) => sum + count, 0)
  const when =
    first.at === last.at ? `at ${localText(last.at)}` : `from ${localText(first.at)} to ${localText(last.at)}`
  const name = key === undefined ? last.keyId : `${key.name} (${key.id})`
  const whose = name === undefined ? 'without a known key' : `with ${name}`
  const where = last.route === undefined ? '' : ` at ${last.route}`
  return `${counted(calls, 'call')} ${whose}${where}, ${when}: ${last.why} [${last.code}]`
}

function causeText(entry: Entry): string {
  return `${localText(entry.at)}, ${sentenceOf(entry)} (entry ${entry.seq})`
}

/** Without refusals, the calls have arrived and were accepted, or did not arrive at all. */
function noRefusals({ usage, from, to }: Why, options: TargetOptions): string {
  const accepted = usage.filter(({ outcome }) => outcome === 'accepted').reduce((sum, { count }) => sum + count, 0)
  if (accepted > 0) {
    return `Nothing was refused. In these hours ${counted(accepted, 'call was', 'calls were')} accepted: what fails is behind the check of keys.`
  }
  if (usage.length > 0) {
    return 'No refusal is kept of these minutes. What was refused in these hours is below: look at more of them with --minutes.'
  }
  const strangers = advised(`refusals list --from ${iso(from)} --to ${iso(to)}`, options)
  return `Nothing was refused, and nothing was accepted: no call with such a key has arrived. If the caller sends something else, it is among all refusals of that time:\n  ${strangers}`
}
