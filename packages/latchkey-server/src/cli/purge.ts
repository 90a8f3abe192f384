import type { Command } from 'commander'
import type { Purged } from 'latchkey'
import type { Settings } from '../config.ts'
import { retentionOf } from '../config.ts'
import { openStore } from '../store.ts'
import { actorOption, changeOptionsOf, databaseCommand, databaseOf } from './command.ts'
import { putReport } from './json.ts'
import type { TargetOptions } from './target.ts'
import { settingOptions, settingsOf } from './target.ts'
import { say } from './terminal/print.ts'
import { counted, startProgress } from './terminal/progress.ts'

const retentionSettings: readonly (keyof Settings)[] = [
  'retentionUsage',
  'retentionUsageSums',
  'retentionRefusals',
  'retentionEndedSecrets',
  'retentionRevokedKeys',
]

interface Options extends TargetOptions {
  readonly actor?: string
  readonly dryRun?: boolean
}

export function purgeCommand(program: Command): void {
  const command = databaseCommand(
    program,
    'purge',
    'Delete old usage, refusals, ended secrets and revoked keys now. A server does it every hour',
  )
  for (const option of settingOptions(retentionSettings)) command.addOption(option)
  command.option('--dry-run', 'Only say what would be deleted, and change nothing')
  actorOption(command).action(async (options: Options) => {
    const { dryRun = false } = options
    const address = databaseOf(options, 'purge')
    const { openKeyring } = await import('latchkey')
    const keyring = await openKeyring({
      store: await openStore(address, dryRun ? 'read' : 'write', { readerThread: false }),
      retention: retentionOf(settingsOf(options)),
    })
    const progress = startProgress()
    try {
      const purged = await keyring.purge({
        ...changeOptionsOf(options),
        dryRun,
        progress: (soFar) => progress.at(`Purging … ${purgedText(soFar)}`),
      })
      progress.end()
      if (options.json === true) putReport(purged)
      else say(`${dryRun ? 'Would purge' : 'Purged'} ${purgedText(purged)}.`)
    } finally {
      progress.end()
      await keyring.close()
    }
  })
}

function purgedText({ keys, secrets, usage, usageSums, refusals }: Purged): string {
  return [
    counted(keys, 'revoked key'),
    counted(secrets, 'ended secret'),
    counted(usage, 'row of usage', 'rows of usage'),
    counted(usageSums, 'sum by day', 'sums by day'),
    counted(refusals, 'refusal'),
  ].join(', ')
}
