// Runs the examples of doc comments, each in a world of its own, and tells the process that started it what failed:
// `node run.ts <folder> <module>…`

import { join } from 'node:path'
import { serveEverywhere } from './server.ts'
import type { World } from './world.ts'
import { makeWorld } from './world.ts'

const [folder = '', ...modules] = process.argv.slice(2)
const failed: string[] = []
await serveEverywhere()
for (const module of modules) {
  try {
    const { example } = (await import(join(folder, module))) as { example: (world: World) => Promise<void> }
    const world = await makeWorld(folder)
    await example(world)
    await world.end()
  } catch (error) {
    failed.push(`${module}: ${String(error)}`)
  }
}
process.send?.({ ran: modules.length, failed }, () => process.exit())
