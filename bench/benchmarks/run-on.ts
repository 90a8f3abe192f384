import { join } from 'node:path'
import type { Benchmark, Figure } from './figure.ts'
import type { MeasuredServer, Ready, ServerOptions } from './measured-server.ts'
import { withMeasuredServer } from './measured-server.ts'
import { inTemporaryFolder } from './temporary-folder.ts'

/**
 * The run of a benchmark that measures one server on a new database.
 *
 * @param args - of the server, after the path of its database.
 */
export function runOn<Said extends Ready>({
  server,
  args = [],
  requestsOf,
  measure,
}: Pick<ServerOptions<Said>, 'server' | 'requestsOf'> & {
  readonly args?: readonly string[]
  readonly measure: (server: MeasuredServer) => Promise<readonly Figure[]>
}): Benchmark['run'] {
  return (progress) =>
    inTemporaryFolder((folder) =>
      withMeasuredServer({ server, args: [join(folder, 'latchkey.db'), ...args], requestsOf }, async (measured) => {
        progress('measuring')
        return measure(measured)
      }),
    )
}
