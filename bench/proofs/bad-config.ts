import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BadSetting } from './bad-settings.ts'
import { badSettings, marker } from './bad-settings.ts'
import { faults } from './bad-config-faults.ts'
import { startChild } from './child.ts'
import { defineProof } from './proof.ts'
import type { Random } from './random.ts'
import { seeded } from './random.ts'
import { inScratchFolder } from './scratch-folder.ts'

/** EX_CONFIG of sysexits.h. */
const exitSettings = 78

/** Milliseconds in which the process must have ended, from its start. */
const promised = 1000

/** Milliseconds after which it is ended, because it has started in spite of the setting. */
const patience = 20_000

const mains = {
  server: { file: new URL('../../packages/latchkey-server/src/main.ts', import.meta.url), args: ['serve'] },
  example: { file: new URL('../../examples/process-api/src/main.ts', import.meta.url), args: [] },
} as const

/** How a process ended. */
interface End {
  readonly code: number | null
  readonly output: string
  readonly complaints: readonly string[]
  readonly milliseconds: number
}

export const proof = defineProof({
  promise:
    'A setting that does not fit ends the start within a second, with one line that names it and never its value',
  takes: 'about a minute',
  sizes: { n: badSettings.length },
  faults,
  faultSizes: { n: 12 },

  async prove({ sizes: { n }, seed, progress }) {
    const chosen = shuffled(badSettings, seeded(seed)).slice(0, n)
    const count = { otherExitCodes: 0, notOneLine: 0, notNamed: 0, valuesEchoed: 0, saidOnStdout: 0, slow: 0 }
    const times: number[] = []
    const bare: number[] = []
    await inScratchFolder('bad-config', async (folder) => {
      // Warm up: the very first start reads every file from the disk.
      await start(join(folder, 'first'), chosen[0] ?? badSettings[0]!)
      for (const [index, bad] of chosen.entries()) {
        const end = await start(join(folder, String(index)), bad)
        // The time that Node itself needs, in the same minute on the same machine.
        bare.push((await startBare(folder)).milliseconds)
        times.push(end.milliseconds)
        const said = [end.output, ...end.complaints].join('\n')
        const isWrong = {
          otherExitCodes: end.code !== exitSettings,
          notOneLine: end.complaints.length !== 1,
          notNamed: !said.includes(bad.names),
          valuesEchoed: said.includes(marker) || (bad.value !== '' && said.includes(bad.value)),
          saidOnStdout: end.output !== '',
          slow: end.milliseconds > promised,
        }
        for (const name of Object.keys(count) as (keyof typeof count)[]) count[name] += Number(isWrong[name])
        const wrong = Object.entries(isWrong).flatMap(([name, is]) => (is ? [name] : []))
        const about = `${bad.of}, ${JSON.stringify({ ...bad.environment, ...bad.files })} ${bad.flags.join(' ')}`
        if (wrong.length > 0) {
          progress(`${about}: ${wrong.join(', ')}: ${end.code}, ${Math.round(end.milliseconds)} ms, ${said}`)
        }
        if ((index + 1) % 10 === 0) progress(`${index + 1} of ${n} starts`)
      }
    })
    return {
      figures: {
        ...count,
        starts: times.length,
        slowestMs: Math.round(Math.max(...times)),
        medianMs: median(times),
        medianMsOfBareNode: median(bare),
      },
      required: {
        otherExitCodes: { is: 0 },
        notOneLine: { is: 0 },
        notNamed: { is: 0 },
        valuesEchoed: { is: 0 },
        saidOnStdout: { is: 0 },
        slow: { is: 0 },
        starts: { is: n },
      },
    }
  },
})

async function start(folder: string, { of, environment, flags, files }: BadSetting): Promise<End> {
  mkdirSync(folder)
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith('/')) mkdirSync(join(folder, name))
    else writeFileSync(join(folder, name), content)
  }
  const { file, args } = mains[of]
  // A port that is free, unless it is the port that does not fit.
  const port = environment['PORT'] === undefined && files['.env'] === undefined ? { PORT: '0' } : {}
  return endOf({ file, args: [...args, ...flags], folder, env: { ...port, ...environment } })
}

/** A process that has nothing to do. */
async function startBare(folder: string): Promise<End> {
  const file = join(folder, 'nothing.mjs')
  writeFileSync(file, '')
  return endOf({ file: new URL(`file://${file}`), args: [], folder, env: {} })
}

async function endOf(options: {
  file: URL
  args: readonly string[]
  folder: string
  env: Readonly<Record<string, string>>
}): Promise<End> {
  const [output, complaints]: [string[], string[]] = [[], []]
  const began = performance.now()
  const child = startChild({
    ...options,
    onLine: (line) => void output.push(line),
    onComplaint: (line) => void complaints.push(line),
  })
  child.close()
  const deadline = setTimeout(() => child.kill('SIGKILL'), patience)
  const { code } = await child.ended
  clearTimeout(deadline)
  return { code, output: output.join('\n'), complaints, milliseconds: performance.now() - began }
}

function shuffled<Item>(items: readonly Item[], random: Random): readonly Item[] {
  return items
    .map((item) => ({ item, place: random.next() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ item }) => item)
}

function median(times: readonly number[]): number {
  return Math.round(times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? Number.NaN)
}
