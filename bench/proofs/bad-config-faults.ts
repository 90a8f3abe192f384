import type { Proof } from './proof.ts'

const settings = 'packages/latchkey-server/src/config.ts'

/** What `bad-config` must find. */
export const faults: Proof['faults'] = {
  'value-echoed': {
    is: 'the line that names a setting repeats its value',
    edits: [
      { file: settings, text: 'faults.push(`${named} must', becomes: 'faults.push(`${named} is ${text}, and must' },
    ],
    shownBy: ['valuesEchoed'],
  },
  'not-named': {
    is: 'the line does not name the setting',
    edits: [{ file: settings, text: 'faults.push(`${named} must', becomes: 'faults.push(`It must' }],
    shownBy: ['notNamed'],
  },
  'exit-code': {
    is: 'bad settings end the command with the exit code of any other failure',
    edits: [
      {
        file: 'packages/latchkey-server/src/cli/exit.ts',
        text: 'settings: { code: 78',
        becomes: 'settings: { code: 1',
      },
    ],
    shownBy: ['otherExitCodes'],
  },
}
