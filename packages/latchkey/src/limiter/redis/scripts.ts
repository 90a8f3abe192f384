import { createHash } from 'node:crypto'

/** A script of Redis, and the name by which Redis knows it once it has seen it. */
export interface Script {
  readonly text: string
  readonly sha: string
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

/**
 * Counts a call in all windows or in none. `slices.ts` has the same rules and explains them; this is their form in Redis,
 * in microseconds of Redis's own clock.
 *
 * A window is one string: its length, its count, and three numbers for each slice: the times of its first and its last
 * call, and its count. Time never goes back within a window; but one whose newest call lies further ahead than the window
 * is long, and a minute more, was written by a clock that was wrong, and is begun anew.
 *
 * KEYS: one for each window. ARGV: whether to count, the cost; then for each window its limit, its length, and whether it
 * only reports. Answers: whether it is admitted, the time; then for each window what remains, until there is more, and
 * until there is room (-1 for never).
 */
export const decision: Script = script(`
local counts, cost = ARGV[1] == '1', tonumber(ARGV[2])
local clock = redis.call('TIME')
local real = clock[1] * 1000000 + clock[2]
local now = real
local held = {}
for i = 1, #KEYS do
  local packed = redis.call('GET', KEYS[i])
  if packed then
    local slices = cmsgpack.unpack(packed)
    local window = tonumber(ARGV[i * 3 + 1])
    if slices[1] == window then
      local newest = slices[#slices - 1]
      if newest <= real + window + 60000000 then
        held[i] = slices
        if newest > now then now = newest end
      end
    end
  end
end
local admitted = 1
for i = 1, #KEYS do
  local slices = held[i]
  if slices then
    local window, first = slices[1], 3
    while slices[first] and slices[first + 1] + window <= now do
      slices[2] = slices[2] - slices[first + 2]
      first = first + 3
    end
    if first > #slices then held[i] = false
    elseif first > 3 then held[i] = { window, slices[2], unpack(slices, first) } end
  end
  local counted = held[i] and held[i][2] or 0
  if cost > 0 and counted + cost > tonumber(ARGV[i * 3]) and ARGV[i * 3 + 2] ~= '1' then admitted = 0 end
end
local answer = { admitted, now }
local function untilAtMost(slices, left)
  local counted = slices[2]
  for first = 3, #slices, 3 do
    if counted <= left then return 0 end
    counted = counted - slices[first + 2]
    if counted <= left then return slices[1] - (now - slices[first + 1]) end
  end
  return 0
end
for i = 1, #KEYS do
  local slices, limit, window = held[i], tonumber(ARGV[i * 3]), tonumber(ARGV[i * 3 + 1])
  local room = cost == 0 or (slices and slices[2] or 0) + cost <= limit
  if room and admitted == 1 and cost > 0 then
    if not slices then slices = { window, cost, now, now, cost }
    else
      local size = #slices
      slices[2] = slices[2] + cost
      if now - slices[size - 2] < window / 60 then
        slices[size - 1] = now
        slices[size] = slices[size] + cost
      else
        slices[size + 1], slices[size + 2], slices[size + 3] = now, now, cost
      end
    end
    if counts then
      redis.call('SET', KEYS[i], cmsgpack.pack(slices), 'PX', math.ceil((window + now - real) / 1000) + 1)
    end
  end
  local remaining, reset, wait = limit, 0, 0
  if slices then
    remaining = math.max(0, limit - slices[2])
    reset = untilAtMost(slices, limit - remaining - 1)
  end
  if not room then wait = (not slices or cost > limit) and -1 or untilAtMost(slices, limit - cost) end
  local place = i * 3
  answer[place], answer[place + 1], answer[place + 2] = remaining, reset, wait
end
return answer
`)

/**
 * Takes back what a call has counted, from the slices that counted it, as far as they are still there.
 *
 * KEYS: one for each window. ARGV: the time of the call, its cost; then for each window its length.
 */
export const givingBack: Script = script(`
local at, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
for i = 1, #KEYS do
  local packed = redis.call('GET', KEYS[i])
  local slices = packed and cmsgpack.unpack(packed)
  if slices and slices[1] == tonumber(ARGV[i + 2]) then
    for first = #slices - 2, 3, -3 do
      if slices[first] <= at then
        if slices[first + 1] >= at then
          local taken = math.min(cost, slices[first + 2])
          slices[2] = slices[2] - taken
          slices[first + 2] = slices[first + 2] - taken
          redis.call('SET', KEYS[i], cmsgpack.pack(slices), 'KEEPTTL')
        end
        break
      end
    end
  end
end
`)

/**
 * Notes that an instance is there, or that it leaves, and answers how many were there in the last ten seconds.
 *
 * KEYS: the list of instances. ARGV: the name of this one, whether it is there.
 */
export const presence: Script = script(`
local now = redis.call('TIME')[1] + 0
if ARGV[2] == '1' then redis.call('ZADD', KEYS[1], now, ARGV[1]) else redis.call('ZREM', KEYS[1], ARGV[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 11)
redis.call('EXPIRE', KEYS[1], 60)
return redis.call('ZCARD', KEYS[1])
`)

/** All scripts, for a connection to load. */
export const scripts: readonly Script[] = [decision, givingBack, presence]
