// What a machine may lack, and tests need.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { skipUnless } from './skip-unless.ts'

export { skipUnless } from './skip-unless.ts'

/** What may run a line of the shell in a terminal of its own. Each may be there and have none to give: without devpts. */
const terminals: readonly ((line: string) => readonly string[])[] = [
  (line) => ['script', '-qefc', line, '/dev/null'],
  (line) => [
    'python3',
    '-c',
    'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(["sh", "-c", sys.argv[1]])))',
    line,
  ],
]

/** The command for a line of the shell in a terminal; `undefined` where none can be opened. */
export function terminalCommand(line: string): readonly string[] | undefined {
  opening ??= {
    terminal: terminals.find((open) => {
      const [program = '', ...values] = open('test -t 0 && test -t 1 && stty cols 80')
      return spawnSync(program, values, { stdio: ['pipe', 'ignore', 'ignore'], timeout: 120_000 }).status === 0
    }),
  }
  return opening.terminal?.(line)
}

let opening: { readonly terminal: (typeof terminals)[number] | undefined } | undefined

export function noTerminal(): string | false {
  return skipUnless(
    terminalCommand('true') !== undefined,
    'neither script(1) nor python3 can open a pseudo-terminal here',
  )
}

export function noCurl(): string | false {
  return skipUnless(spawnSync('curl', ['--version']).status === 0, 'no curl on this machine')
}

export function noNginx(): string | false {
  return skipUnless(spawnSync('nginx', ['-v']).status === 0, 'no nginx on this machine')
}

export function noCaddy(): string | false {
  return skipUnless(spawnSync('caddy', ['version']).status === 0, 'no caddy on this machine')
}

export function noHaproxy(): string | false {
  return skipUnless(spawnSync('haproxy', ['-v']).status === 0, 'no haproxy on this machine')
}

export function noFastapi(): string | false {
  const found = spawnSync('/usr/bin/python3', ['-c', 'import fastapi, uvicorn, jwt, cryptography'])
  return skipUnless(found.status === 0, 'no python3-fastapi, python3-uvicorn and python3-jwt on this machine')
}

export function noSystemd(): string | false {
  return skipUnless(spawnSync('systemd-analyze', ['--version']).status === 0, 'no systemd-analyze on this machine')
}

/** Where Debian, Fedora, Arch and macOS have it; CHROMIUM says otherwise. */
export const browser: string | undefined = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path !== undefined && existsSync(path))

export function noBrowser(): string | false {
  return skipUnless(browser !== undefined, 'no Chromium on this machine: install it, or set CHROMIUM to its path')
}
