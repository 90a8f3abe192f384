import assert from 'node:assert/strict'
import type { LimiterAnswer, Window, WindowState } from '../../src/ports.ts'

interface Counted {
  readonly at: number
  readonly cost: number
  readonly answer: LimiterAnswer
}

/** Every call of every bucket, remembered for ever and added up one by one: slow and plainly right. */
export interface LimiterModel {
  /** Notes a call, and asserts that the answer is right. */
  taken(windows: readonly Window[], cost: number, answer: LimiterAnswer): void
  givenBack(windows: readonly Window[], answer: LimiterAnswer): void
}

/** @param slice - by how many milliseconds a call may count longer than a window of so many milliseconds. */
export function limiterModel(slice: (window: number) => number): LimiterModel {
  const buckets = new Map<string, Counted[]>()
  const callsOf = ({ bucket }: Window): readonly Counted[] => buckets.get(bucket) ?? []

  function check(window: Window, cost: number, { answer, state }: { answer: LimiterAnswer; state: WindowState }): void {
    const { at } = answer
    const length = window.window * 1000
    const longest = length + slice(length)
    const calls = callsOf(window).filter((call) => call.at > at - longest)
    const exact = sum(calls.filter((call) => call.at > at - length))
    const room = state.waitMs === 0
    const seen = JSON.stringify({ window, cost, state, at, calls: calls.map((call) => [call.at, call.cost]) })

    assert.ok(!room || cost === 0 || exact + cost <= window.limit, `more than the limit: ${seen}`)
    assert.ok(room || sum(calls) + cost > window.limit, `refused although there was room: ${seen}`)

    const counted = answer.admitted && room && cost > 0 ? cost : 0
    const held = window.limit - state.remaining
    assert.ok(exact + counted <= held && held <= sum(calls) + counted, `what remains: ${seen}`)

    const now = counted > 0 ? [...calls, { at, cost, answer }] : calls
    checkMoment(state.resetMs, leavesAt(now, held, held - 1))
    if (!room && cost > window.limit) assert.equal(state.waitMs, Infinity, seen)
    else if (!room) checkMoment(state.waitMs, leavesAt(now, held, window.limit - cost))

    /** The moment at which the exact model has room, or up to a slice later. */
    function checkMoment(ms: number, call: Counted | undefined): void {
      const earliest = call === undefined ? 0 : call.at + length - at
      const latest = call === undefined ? 0 : earliest + slice(length)
      assert.ok(earliest <= ms && ms <= latest, `${ms} is not from ${earliest} to ${latest}: ${seen}`)
    }
  }

  return {
    taken(windows, cost, answer) {
      const blocked = windows.filter(({ reportOnly }, index) => answer.states[index]?.waitMs !== 0 && !reportOnly)
      assert.equal(answer.admitted, blocked.length === 0)
      assert.equal(answer.states.length, windows.length)
      for (const [index, window] of windows.entries()) {
        const state = answer.states[index]
        assert.ok(state)
        check(window, cost, { answer, state })
        if (!answer.admitted || state.waitMs !== 0 || cost === 0) continue
        buckets.set(window.bucket, [...callsOf(window), { at: answer.at, cost, answer }])
      }
    },
    givenBack(windows, answer) {
      for (const window of windows) {
        buckets.set(
          window.bucket,
          callsOf(window).filter((call) => call.answer !== answer),
        )
      }
    },
  }
}

const sum = (calls: readonly Counted[]): number => calls.reduce((total, { cost }) => total + cost, 0)

/** Of the calls of which the last ones make up `held`, the one that must leave for no more than `left` to be counted. */
function leavesAt(calls: readonly Counted[], held: number, left: number): Counted | undefined {
  if (held <= 0) return undefined
  let later = 0
  for (const call of calls.toReversed()) {
    later += call.cost
    if (later > left) return call
  }
  return undefined
}
