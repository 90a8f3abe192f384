/**
 * Milliseconds by the machine's monotonic clock, which all its processes share: Node reads CLOCK_MONOTONIC, which
 * counts from the start of the machine, for every process the same. So times from different processes can be compared.
 * A proof that does so checks this with a figure: a reading in the other process lies between two readings here.
 */
export function machineNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
