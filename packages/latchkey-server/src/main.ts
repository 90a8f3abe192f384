#!/usr/bin/env node
import { manifest } from './manifest.ts'
import { nodeFault } from './node-version.ts'

// Check first: a Node that is too old cannot load the rest.
const fault = nodeFault(process.versions.node, manifest.engines.node)
if (fault === undefined) void import('./cli/run.ts').then(({ run }) => run(process.argv.slice(2)))
else {
  process.stderr.write(`${fault}\n`)
  // The exit code of a wrong setting: trying again does not help.
  process.exitCode = 78
}
