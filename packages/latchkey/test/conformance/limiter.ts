import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import type { Limiter, LimiterAnswer, Window } from '../../src/ports.ts'
import { limiterModel } from './limiter-model.ts'

/** A limiter under test, with its time. */
export interface LimiterUnderTest {
  /** One, or several on the same counts, as the instances of a service have them. New and empty. */
  readonly limiters: readonly [Limiter, ...Limiter[]]
  /** Lets milliseconds pass by the limiter's clock, no fewer than these. */
  advance(ms: number): void | Promise<void>
  /** How much longer than a window of so many milliseconds a call may be counted, in milliseconds. */
  slice(window: number): number
}

let count = 0

/** A window on a bucket of its own, a second long unless told. */
export function newWindow(overrides: Partial<Window> = {}): Window {
  count++
  return {
    name: `window-${count}`,
    bucket: `test-${process.pid}-${performance.now()}-${count}`,
    group: 'acme',
    limit: 3,
    window: 1,
    ...overrides,
  }
}

type Step =
  | { readonly kind: 'take'; readonly which: readonly number[]; readonly cost: number; readonly by: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'giveBack' | 'retry'; readonly by: number }

/** Quarters of a millisecond: exact as floating point numbers, so that the model may compare without tolerance. */
const quarters = (max: number): fc.Arbitrary<number> => fc.nat(max * 4).map((quarter) => quarter / 4)

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('take' as const),
        which: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
        cost: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat(9) }),
        by: fc.nat(),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('advance' as const),
        ms: fc.oneof(quarters(8), quarters(80), quarters(600)),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('giveBack' as const, 'retry' as const), by: fc.nat() }) },
  ),
  { minLength: 20, maxLength: 120 },
)

/**
 * What every limiter must keep. Times are taken from its answers (`at`), so the suite holds for one that runs on real
 * time as well; give that one fewer `runs`.
 */
export function limiterConformance(
  name: string,
  make: () => LimiterUnderTest | Promise<LimiterUnderTest>,
  { runs = 300 }: { readonly runs?: number } = {},
): void {
  describe(`limiter: ${name}`, () => {
    const opened: Limiter[] = []

    async function fresh(): Promise<LimiterUnderTest & { readonly limiter: Limiter }> {
      const made = await make()
      opened.push(...made.limiters)
      return { ...made, limiter: made.limiters[0] }
    }

    after(async () => {
      for (const limiter of opened) await limiter.close()
    })

    test('a limit of N admits N, says what is left, and when there is room again', async () => {
      const { limiter, advance } = await fresh()
      const windows = [newWindow({ limit: 3 })]
      for (const remaining of [2, 1, 0]) {
        const { admitted, states } = await limiter.take(windows, 1)
        assert.deepEqual([admitted, states[0]?.remaining, states[0]?.waitMs], [true, remaining, 0])
      }
      const refused = await limiter.take(windows, 1)
      assert.equal(refused.admitted, false)
      const [state] = refused.states
      assert.equal(state?.remaining, 0)
      assert.ok(state.waitMs > 0 && state.waitMs <= 1000 && state.resetMs === state.waitMs, JSON.stringify(state))
      await advance(state.waitMs)
      assert.equal((await limiter.take(windows, 1)).admitted, true)
    })

    test('of 64 calls at once, through every instance, exactly N are admitted', async () => {
      for (const limit of [1, 17, 63]) {
        const { limiters } = await fresh()
        const windows = [newWindow({ limit: 1000 }), newWindow({ limit, window: 60 })]
        const answers = await Promise.all(
          Array.from({ length: 64 }, async (_, index) => limiters[index % limiters.length]?.take(windows, 1)),
        )
        assert.equal(answers.filter((answer) => answer?.admitted).length, limit)
        const [wide] = (await limiters[0].peek(windows.slice(0, 1), 0)).states
        assert.equal(wide?.remaining, 1000 - limit, 'and the other window has counted no more')
      }
    })

    test('buckets know nothing of each other', async () => {
      const { limiter } = await fresh()
      const [one, other] = [newWindow({ limit: 1 }), newWindow({ limit: 1 })]
      assert.equal((await limiter.take([one], 1)).admitted, true)
      assert.equal((await limiter.take([other], 1)).admitted, true)
      assert.equal((await limiter.take([one], 1)).admitted, false)
    })

    test('a call that one window has no room for is counted in none', async () => {
      const { limiter } = await fresh()
      const [narrow, wide] = [newWindow({ limit: 1, window: 60 }), newWindow({ limit: 10, window: 60 })]
      await limiter.take([narrow, wide], 1)
      for (let call = 0; call < 5; call++) {
        const { admitted, states } = await limiter.take([wide, narrow], 1)
        assert.equal(admitted, false)
        assert.deepEqual([states[0]?.remaining, states[0]?.waitMs], [9, 0], 'the one that had room')
      }
    })

    test('a window that only reports hinders nobody, and says whom it would have refused', async () => {
      const { limiter } = await fresh()
      const windows = [newWindow({ limit: 1, window: 60, reportOnly: true }), newWindow({ limit: 3, window: 60 })]
      const answers: LimiterAnswer[] = []
      for (let call = 0; call < 4; call++) answers.push(await limiter.take(windows, 1))
      assert.deepEqual(
        answers.map(({ admitted, states }) => [admitted, states[0]?.waitMs === 0, states[1]?.remaining]),
        [
          [true, true, 2],
          [true, false, 1],
          [true, false, 0],
          [false, false, 0],
        ],
      )
    })

    test('a cost counts as so many calls; one above the limit never fits; one of 0 always does', async () => {
      const { limiter } = await fresh()
      const windows = [newWindow({ limit: 5, window: 60 })]
      assert.equal((await limiter.take(windows, 6)).states[0]?.waitMs, Infinity)
      assert.equal((await limiter.take(windows, 4)).states[0]?.remaining, 1)
      assert.equal((await limiter.take(windows, 2)).admitted, false)
      assert.equal((await limiter.take(windows, 1)).states[0]?.remaining, 0)
      const free = await limiter.take(windows, 0)
      assert.deepEqual([free.admitted, free.states[0]?.remaining, free.states[0]?.waitMs], [true, 0, 0])
    })

    test('where nothing is counted there is nothing to wait for', async () => {
      const { limiter, advance } = await fresh()
      const windows = [newWindow({ limit: 5, window: 0.25 })]
      const empty = { remaining: 5, resetMs: 0, waitMs: 0 }
      assert.deepEqual((await limiter.peek(windows, 0)).states, [empty])
      await limiter.take(windows, 5)
      await advance(250)
      assert.deepEqual((await limiter.peek(windows, 0)).states, [empty])
    })

    test('to peek is to be told what take would say, and counts nothing', async () => {
      const { limiter } = await fresh()
      const windows = [newWindow({ limit: 2, window: 60 })]
      for (const [admitted, remaining] of [
        [true, 1],
        [true, 0],
        [false, 0],
      ] as const) {
        for (let look = 0; look < 3; look++) {
          const told = await limiter.peek(windows, 1)
          assert.deepEqual([told.admitted, told.states[0]?.remaining], [admitted, remaining])
        }
        assert.equal((await limiter.take(windows, 1)).admitted, admitted)
      }
    })

    test('what is given back can be taken again, and no more than that', async () => {
      const { limiter } = await fresh()
      const reporting = newWindow({ limit: 2, window: 60, reportOnly: true })
      const windows = [newWindow({ limit: 3, window: 60 }), reporting]
      await limiter.take(windows, 2)
      const second = await limiter.take(windows, 1)
      const refused = await limiter.take(windows, 1)
      await limiter.giveBack(windows, 1, refused)
      assert.equal((await limiter.take(windows, 1)).admitted, false, 'a refused call has counted nothing')
      await limiter.giveBack(windows, 1, second)
      assert.equal(second.states[1]?.waitMs === 0, false)
      assert.equal((await limiter.take([reporting], 0)).states[0]?.remaining, 0, 'it had not counted the call')
      assert.equal((await limiter.take(windows, 1)).admitted, true)
      assert.equal((await limiter.take(windows, 1)).admitted, false)
    })

    test('a refused call has nothing to give back, and nothing can be given back twice', async () => {
      const { limiter } = await fresh()
      const windows = [newWindow({ limit: 1, window: 60 }), newWindow({ limit: 3, window: 60 })]
      const taken = await limiter.take(windows, 1)
      await limiter.giveBack(windows, 1, await limiter.take(windows, 1))
      assert.equal((await limiter.peek(windows, 0)).states[1]?.remaining, 2, 'the window that had room')
      for (let time = 0; time < 2; time++) await limiter.giveBack(windows, 1, taken)
      const { states } = await limiter.peek(windows, 0)
      assert.deepEqual([states[0]?.remaining, states[1]?.remaining], [1, 3])
    })

    test('what is given back after its window has passed takes nothing from the calls of the next', async () => {
      const { limiter, advance } = await fresh()
      const windows = [newWindow({ limit: 1, window: 0.25 })]
      const early = await limiter.take(windows, 1)
      await advance(250)
      assert.equal((await limiter.take(windows, 1)).admitted, true)
      await limiter.giveBack(windows, 1, early)
      assert.equal((await limiter.take(windows, 1)).admitted, false)
    })

    test('under another limit the count goes on, also under a lower one; under another length it begins anew', async () => {
      const { limiter, advance } = await fresh()
      const window = newWindow({ limit: 3 })
      const taken = await limiter.take([window], 3)
      const raised = await limiter.take([{ ...window, limit: 5 }], 1)
      assert.deepEqual([raised.admitted, raised.states[0]?.remaining], [true, 1])
      const lowered = await limiter.take([{ ...window, limit: 2 }], 1)
      assert.deepEqual([lowered.admitted, lowered.states[0]?.remaining], [false, 0])
      assert.equal((await limiter.take([{ ...window, limit: 2 }], 0)).admitted, true, 'a cost of 0 has room')
      const longer = { ...window, window: 2 }
      assert.equal((await limiter.take([longer], 3)).admitted, true)
      await limiter.giveBack([window], 3, taken)
      assert.equal((await limiter.take([longer], 1)).admitted, false, 'nor is anything of before given back')
      await advance(lowered.states[0]?.waitMs ?? 0)
      assert.equal((await limiter.take([longer], 1)).admitted, false)
    })

    test('a limiter that is closed fails; it does not admit', async () => {
      const { limiter } = await fresh()
      const windows = [newWindow()]
      const answer = await limiter.take(windows, 1)
      await limiter.close()
      await assert.rejects(async () => limiter.take(windows, 1))
      await assert.rejects(async () => limiter.peek(windows, 1))
      await assert.rejects(async () => limiter.giveBack(windows, 1, answer))
    })

    test('whatever is asked in whatever order, no more than the limit, no less than can be, and true figures', async () => {
      const limits = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(9), fc.nat(30), fc.nat(9))
      await fc.assert(
        fc.asyncProperty(limits, steps, async ([first, second, third, fourth], sequence) => {
          const { limiters, advance, slice } = await fresh()
          const model = limiterModel(slice)
          const pool = [
            newWindow({ limit: first, window: 0.125 }),
            newWindow({ limit: 1 + second, window: 0.5 }),
            newWindow({ limit: 1 + third, window: 1 }),
            newWindow({ limit: 1 + fourth, window: 0.5, reportOnly: true }),
          ]
          const limiterOf = (by: number): Limiter => limiters[by % limiters.length] ?? limiters[0]
          const admitted: { windows: readonly Window[]; cost: number; answer: LimiterAnswer }[] = []
          let refused: { windows: readonly Window[]; cost: number; waitMs: number } | undefined

          async function take(windows: readonly Window[], cost: number, by: number): Promise<LimiterAnswer> {
            const told = await limiterOf(by).peek(windows, cost)
            const answer = await limiterOf(by).take(windows, cost)
            if (told.at === answer.at) assert.deepEqual(answer, told)
            model.taken(windows, cost, answer)
            const blocked = windows.map(({ reportOnly }, index) =>
              reportOnly ? 0 : (answer.states[index]?.waitMs ?? 0),
            )
            if (answer.admitted) admitted.push({ windows, cost, answer })
            else refused = { windows, cost, waitMs: Math.max(...blocked) }
            return answer
          }

          for (const step of sequence) {
            if (step.kind === 'take') {
              await take(
                step.which.flatMap((index) => pool[index] ?? []),
                step.cost,
                step.by,
              )
            } else if (step.kind === 'advance') await advance(step.ms)
            else if (step.kind === 'giveBack') {
              const [given] = admitted.splice(step.by % (admitted.length || 1), 1)
              if (given === undefined) continue
              await limiterOf(step.by).giveBack(given.windows, given.cost, given.answer)
              model.givenBack(given.windows, given.answer)
            } else if (refused !== undefined && refused.waitMs < Infinity) {
              // Others may have come since the refusal: ask for the wait anew, and then be the next.
              const { windows, cost } = refused
              const again = await take(windows, cost, step.by)
              if (again.admitted) continue
              await advance(refused.waitMs)
              assert.equal((await take(windows, cost, step.by)).admitted, true, 'there is room when it was said to be')
            }
          }
        }),
        { numRuns: runs },
      )
    })
  })
}
