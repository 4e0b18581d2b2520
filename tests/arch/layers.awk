# usage: awk -f layers.awk layers.txt FILES...   exits 1 on an include that points the wrong way.
FILENAME == ARGV[1] {
    if ($0 ~ /^#/ || NF == 0) next
    split($0, part, ":")
    rooms[part[1]] = 1
    ok[part[1], part[1]] = 1
    n = split(part[2], may, " ")
    for (i = 1; i <= n; i++) ok[part[1], may[i]] = 1
    next
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, quoted, "\"")
    split(quoted[2], to, "/")
    file = FILENAME
    sub(/^\.\//, "", file)
    split(file, from, "/")
    if (!(from[1] in rooms)) next
    if (index(quoted[2], "/") == 0) next      # generated headers carry no room
    if (!((from[1], to[1]) in ok)) {
        printf "%s:%d: room %s may not include room %s\n", file, FNR, from[1], to[1]
        bad = 1
    }
}
END { exit bad }
