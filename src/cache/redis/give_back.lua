-- Puts requests back into a token bucket. What does not fit is left out when the next ones are taken.
-- KEYS[1] the bucket; ARGV[1] how many.
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HINCRBYFLOAT', KEYS[1], 'left', ARGV[1])
end
