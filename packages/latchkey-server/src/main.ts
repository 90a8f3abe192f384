#!/usr/bin/env node
import { manifest } from './manifest.ts'
import { nodeFault } from './node-version.ts'

// Before anything is loaded that a Node which is too old does not have or cannot read.
const fault = nodeFault(process.versions.node, manifest.engines.node)
if (fault === undefined) void import('./cli/run.ts').then(({ run }) => run(process.argv.slice(2)))
else {
  process.stderr.write(`${fault}\n`)
  // That of a setting that is wrong: trying again does not help.
  process.exitCode = 78
}
