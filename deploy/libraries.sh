# Functions for images `FROM scratch`: the loader and the shared libraries of programs. The
# scripts that build images source this file.

# Lists the loader and the shared libraries of programs, except libraries below
# the directory $1, which are copied with it.
libraries() {
    local with=$1
    shift
    # ldd fails for a file that is not dynamic.
    { ldd "$@" 2>/dev/null || true; } \
        | awk -v with="$with/" '
            $2 == "=>" && $3 ~ /^\// { path = $3 }
            $1 ~ /^\// && $2 ~ /^\(/ { path = $1 }
            path && index(path, with) != 1 { print path }
            { path = "" }' \
        | sort -u
}

# Copies the libraries to the same paths below the directory $1, and prints the directories in
# which the loader must look for them, separated by colons.
copy_libraries() {
    local root=$1 list
    shift
    list=$(libraries "$@")
    xargs -d '\n' cp --dereference --parents --target-directory "$root" <<<"$list"
    xargs -d '\n' -n 1 dirname <<<"$list" | sort -u | paste -sd:
}
