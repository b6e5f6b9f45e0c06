# Free ports of the loopback interface; sourced by the scripts that start servers.

is_open() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# A port that nobody listens on and that is not among the arguments. It is below the range that the system gives to
# outgoing connections, so that none of those can take it before the server does.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    [[ " $* " == *" $port "* ]] || is_open "$port" || break
  done
  echo "$port"
}
