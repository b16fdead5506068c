# Functions that send the requests of a trial. They need only bash, so that they run in a container
# that has nothing else. The scripts that start a program source this file.

trial=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# A port on which nothing listens.
free_port() {
    local port
    while
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
    do :; done
    echo "$port"
}

# wait_for PORT PROCESS: waits for a minute until something listens, and fails if the process has ended.
wait_for() {
    local port=$1 process=$2 attempt
    for attempt in {1..600}; do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
        kill -0 "$process" 2>/dev/null || fail "the program has ended before it listens on port $port"
        sleep 0.1
    done
    fail "nothing listens on port $port after $attempt attempts"
}

# ask PORT PATH [FIELD…]: prints the head of the answer to a request.
ask() {
    local port=$1 path=$2
    shift 2
    (
        exec 3<>"/dev/tcp/127.0.0.1/$port"
        printf '%s\r\n' "GET $path HTTP/1.1" 'host: api.example.com' 'connection: close' "$@" '' >&3
        while IFS= read -r -u 3 line && [ -n "${line%$'\r'}" ]; do
            printf '%s\n' "${line%$'\r'}"
        done
    )
}

# Requests of a proxy that asks the server for a path.
ask_server() {
    local port=$1 path=$2
    shift 2
    ask "$port" /authorize 'x-original-method: GET' "x-original-uri: $path" 'x-original-host: api.example.com' "$@"
}

# expect STATUS WORDS COMMAND…: the status of an answer, and words that its head contains.
expect() {
    local status=$1 words=$2 head
    shift 2
    head=$("$@") || fail "no answer: $*"
    [[ $head == "HTTP/1.1 $status "* ]] || fail "$status is expected for: $* but the answer is: $head"
    [[ ${head,,} == *"$words"* ]] || fail "\`$words\` is missing in the answer to: $* which is: $head"
}

# decides ASK PORT: the decisions about a public route, a protected one without a token, with a
# good one and with one whose signature is wrong, and no route.
decides() {
    local ask=$1 port=$2 token signature
    token=$(<"$trial/token")
    signature=${token##*.}
    local wrong=${token%.*}.${signature:0:9}$([ "${signature:9:1}" = A ] && echo B || echo A)${signature:10}
    expect 200 '' "$ask" "$port" /live
    expect 401 'www-authenticate: bearer' "$ask" "$port" /ready
    expect 200 '' "$ask" "$port" /ready "authorization: Bearer $token"
    expect 401 'error="invalid_token"' "$ask" "$port" /ready "authorization: Bearer $wrong"
    expect 404 '' "$ask" "$port" /other
}
