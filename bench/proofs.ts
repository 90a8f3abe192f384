import type { Proof } from './proofs/proof.ts'

/** All proofs. A new one is a file and a line here. */
export const proofs: Readonly<Record<string, () => Promise<{ readonly proof: Proof }>>> = {
  authority: () => import('./proofs/authority.ts'),
  'bad-config': () => import('./proofs/bad-config.ts'),
  crash: () => import('./proofs/crash.ts'),
  drain: () => import('./proofs/drain.ts'),
  erasure: () => import('./proofs/erasure.ts'),
  'forward-auth': () => import('./proofs/forward-auth.ts'),
  fuzz: () => import('./proofs/fuzz.ts'),
  'journal-tamper': () => import('./proofs/journal-tamper.ts'),
  outage: () => import('./proofs/outage.ts'),
  quota: () => import('./proofs/quota.ts'),
  refusals: () => import('./proofs/refusals.ts'),
  revoke: () => import('./proofs/revoke.ts'),
  rotate: () => import('./proofs/rotate.ts'),
  sim: () => import('./proofs/sim.ts'),
  soak: () => import('./proofs/soak.ts'),
  timing: () => import('./proofs/timing.ts'),
  window: () => import('./proofs/window.ts'),
}
