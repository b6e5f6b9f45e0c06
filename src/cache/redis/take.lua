-- Takes requests out of a token bucket: all of them or none. What is not there is a full bucket.
-- KEYS[1] the bucket; ARGV: its size, requests to take, microseconds in which an empty one fills.
-- Returns whether they were taken, and how many are left.
local size, wanted, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local bucket = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = size
if bucket[1] and bucket[2] then
  -- The clock of a server may be set back.
  local passed = math.max(now - bucket[2], 0)
  left = math.min(bucket[1] + passed * size / window, size)
end
local taken = 0
if left >= wanted then
  taken = 1
  left = left - wanted
  redis.call('HSET', KEYS[1], 'left', string.format('%.17g', left), 'at', string.format('%.0f', now))
  redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
end
return {taken, string.format('%.17g', left)}
