import type { Printed } from './plant.ts'
import { proveWith } from './plant.ts'
import type { Fault, Proof } from './proofs/proof.ts'

/** Whether a proof has found a fault that was planted for it. */
export interface Finding {
  readonly proof: string
  readonly fault: string
  /** What was wrong. */
  readonly is: string
  readonly caught: boolean
  /** The figures that showed it. */
  readonly showed: Readonly<Record<string, number>>
  /** Why the proof could not finish, if it could not. */
  readonly error?: string
  readonly seconds: number
}

/** If a figure is missed even without a fault, it must be this many times worse with the fault to show it. */
const muchWorse = 4

/**
 * Runs a proof without a fault, and then with each of some faults. A figure that is missed without a fault shows a
 * fault only by being far worse.
 *
 * @throws Error when a fault does not fit the sources any more, or the proof cannot be run without one.
 */
export async function checkFaults({
  name,
  faults,
  args,
  progress,
}: {
  name: string
  faults: Proof['faults']
  /** The seed and the sizes, as the proof takes them. */
  args: readonly string[]
  progress: (line: string) => void
}): Promise<readonly Finding[]> {
  const run = async (edits: Fault['edits'], what: string): Promise<Printed> => {
    progress(`${name}: ${what}`)
    return proveWith({ edits, args: [name, ...args] })
  }
  const sound = await run([], 'without a fault')
  if (sound.error !== undefined) throw new Error(`${name} cannot be run at all: ${sound.error}`)
  const findings: Finding[] = []
  for (const [fault, { is, edits, shownBy }] of Object.entries(faults)) {
    const { figures, missed, error, seconds } = await run(edits, `${fault}: ${is}`)
    const isWorse = (figure: string): boolean =>
      !sound.missed.includes(figure) || (figures[figure] ?? 0) >= muchWorse * (sound.figures[figure] ?? Infinity)
    const shown = shownBy.filter((figure) => missed.includes(figure) && isWorse(figure))
    findings.push({
      proof: name,
      fault,
      is,
      caught: shown.length > 0,
      showed: Object.fromEntries(shown.map((figure) => [figure, figures[figure] ?? Number.NaN])),
      ...(error === undefined ? {} : { error }),
      seconds,
    })
  }
  return findings
}

/** The table of SECURITY.md. */
export function tableOfFindings(findings: readonly Finding[]): string {
  const rows = findings.map(({ proof, fault, is, caught, showed }) => {
    const figures = Object.entries(showed).map(([figure, value]) => `\`${figure}\` ${value}`)
    return `| \`${proof}\` | \`${fault}\` | ${is} | ${caught ? figures.join(', ') : '**not found**'} |`
  })
  return ['| proof | planted fault | what is wrong then | found by |', '| --- | --- | --- | --- |', ...rows].join('\n')
}
