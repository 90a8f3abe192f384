/**
 * Milliseconds by the machine's monotonic clock, which all its processes share: Node reads CLOCK_MONOTONIC, which counts
 * from the start of the machine, for every process the same. So a moment noted in one process can be compared with one
 * noted in another. Who does so shows with a figure that it holds: between two readings here lies one made elsewhere.
 */
export function machineNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
