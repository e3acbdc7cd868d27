# SPDX-License-Identifier: Apache-2.0
#
# Worst stack of a function from gcc's call graphs (-fcallgraph-info=su):
#     awk -v roots="otter_boot_run entry" -f stack.awk FILE.ci...
# prints "BYTES root: function (frame) > ...", for each root, and complains (status 1)
# about recursion, frames of unknown size and pointers that it cannot follow. A function
# without a call graph (memcpy, the compiler's helpers) counts as 0.
#
# A call through a pointer is resolved by the member's name in the source: the functions
# that the table below gives, the deepest of them. What a board's port takes is 0 here;
# PORTING.md says to add it.

BEGIN {
    # member, and caller or its folder: functions it may reach ("": a port of the board)
    pointer["read", "src/package"] = ":(span_read|shifted_read)$"
    pointer["read", "src/codec"] = ":(span_read|ciphered_read)$"
    pointer["read", "shifted_read"] = ":span_read$"
    pointer["open", "src/codec"] = "(chunks|heatshrink).c:open$"
    pointer["skip", "src/codec"] = "chunks.c:skip$"
    pointer["decode", "src/codec"] = "(chunks|heatshrink).c:decode$"
    pointer["end", "src/codec"] = "(chunks|heatshrink).c:end$"
    pointer["load"] = "^otter_boot_load$"
    pointer["begin"] = pointer["run"] = "" # inflate is a port
    pointer["read", "src/flash"] = pointer["read", "src/device"] = ""
    pointer["read", "src/install"] = ""
    pointer["read", "read_open_file"] = pointer["read", "otter_io_read"] = "card.c:read_file$"
    pointer["program"] = pointer["erase"] = ""
    pointer["time_ms"] = pointer["reset_cause"] = pointer["wants_manager"] = ""
    pointer["request_manager"] = pointer["allows_update"] = pointer["reset"] = ""
    pointer["watchdog_start"] = pointer["watchdog_feed"] = pointer["report"] = ""
    pointer["receive"] = pointer["send"] = ""
    pointer["open"] = pointer["size"] = pointer["write"] = pointer["sync"] = ""
    pointer["close"] = pointer["remove"] = pointer["make_folder"] = ""
    pointer["free_bytes"] = pointer["list"] = ""
    pointer["sha256_init"] = ":sha256_init$"
    pointer["sha256_update"] = ":sha256_update$"
    pointer["sha256_final"] = ":sha256_final$"
    pointer["verify_p256"] = ":verify_p256$"
    pointer["aes_init"] = ":aes_init$"
    pointer["aes_ctr"] = ":aes_ctr$"
    pointer["find_key"] = ":find_key$"
    pointer["unwrap"] = ":unwrap$"
    pointer["storage_key"] = ":storage_key$"
    pointer["steps"] = "^receive_do_"
    pointer["steps", "otter_card_door_step"] = "card.c:do_"
    pointer["step"] = "^otter_stage_"
    pointer["applies"] = "stages.c:(always|replaces[a-z_]*|writes[a-z_]*)$"
    pointer["act"] = "/smp[a-z_]*.c:act_"
    pointer["answer"] = "/smp[a-z_]*.c:answer_"
    # BearSSL's own: ECDSA and ECDH on its P-256, HMAC on its SHA-256
    pointer["mul", "bearssl_ecdh"] = "ec_p256_m31.c:api_mul$"
    pointer["init", "src/mac"] = "^br_sha256_init$"
    pointer["update", "src/mac"] = "^br_sha224_update$"
    pointer["out", "src/mac"] = "^br_sha256_out$"
    pointer["state", "src/mac"] = "^br_sha256_state$"
    pointer["set_state", "src/mac"] = "^br_sha256_set_state$"
    pointer["muladd", "br_ecdsa_i31_vrfy_raw"] = "ec_p256_m31.c:api_muladd$"
    pointer["muladd", "br_ecdsa_i15_vrfy_raw"] = "ec_p256_m15.c:api_muladd$"
}

function fail(what) {
    print "stack: " what > "/dev/stderr"
    status = 1
}

# The name of the member that is called at file:line:column.
function member_at(place, part, line, count, text) {
    split(place, part, ":")
    sub(/^(\.\.\/)+/, "", part[1]) # a compiler cache names sources from the build folder
    count = 0
    text = ""
    while ((getline line < part[1]) > 0) {
        count++
        if (count == part[2]) { text = substr(line, part[3]) }
        else if (count == part[2] + 1) { text = text " " line; break }
    }
    close(part[1])
    sub(/^[^(]*\?[^(]*: */, "", text) # condition ? value : call()
    if (text ~ /^[a-z_]*\[[^(]*\]\(/) { return substr(text, 1, index(text, "[") - 1) }
    if (!match(text, /(->|\.)[a-z_0-9]+\(/)) { return "?" }
    text = substr(text, RSTART, RLENGTH - 1)
    sub(/^(->|\.)/, "", text)
    return text
}

function folder_of(place) {
    if (match(place, /src\/[a-z]+\//)) { return substr(place, RSTART, RLENGTH - 1) }
    return ""
}

# The functions that the call at `place` in `caller` may reach, one a line.
function follow(caller, place, member, pattern, name, list) {
    if (place in followed) { return followed[place] }
    member = member_at(place)
    if ((member, plain(caller)) in pointer) { pattern = pointer[member, plain(caller)] }
    else if ((member, folder_of(place)) in pointer) { pattern = pointer[member, folder_of(place)] }
    else if (member in pointer) { pattern = pointer[member] }
    else { fail("cannot follow the pointer `" member "` at " place); pattern = "" }
    list = ""
    if (pattern != "") {
        for (name in frame) { if (name ~ pattern) { list = list name "\n" } }
    }
    followed[place] = list
    return list
}

function plain(name) {
    sub(/.*:/, "", name)
    sub(/\..*/, "", name) # .isra, .constprop, .part: gcc's clones
    return name
}

# The deepest of `names`, which best_of then names.
function worst_of(names, i, n, list, depth, best, found) {
    best = 0
    found = ""
    n = split(names, list, "\n")
    for (i = 1; i < n; i++) {
        depth = worst(list[i])
        if (depth > best) { best = depth; found = list[i] }
    }
    best_of = found
    return best
}

function worst(name, i, n, list, depth, best, path) {
    if (name in result) { return result[name] }
    if (!(name in frame)) { return 0 }
    if (active[name]) { fail("recursion through " plain(name)); return 0 }
    active[name] = 1
    best = 0
    path = ""
    n = split(calls[name], list, "\n")
    for (i = 1; i < n; i++) {
        if (list[i] ~ /^\*/) { # a pointer, resolved here: what nobody reaches may be unknown
            depth = worst_of(follow(name, substr(list[i], 2)))
            if (depth > best) { best = depth; path = best_of }
            continue
        }
        depth = worst(list[i])
        if (depth > best) { best = depth; path = list[i] }
    }
    active[name] = 0
    next_of[name] = path
    result[name] = frame[name] + best
    return result[name]
}

match($0, /^node: \{ title: "[^"]*"/) {
    title = substr($0, 17, RLENGTH - 17)
    if (match($0, /[0-9]+ bytes \([a-z,]*\)/)) {
        text = substr($0, RSTART, RLENGTH)
        frame[title] = text + 0
        if (text !~ /static|bounded/) { fail(plain(title) " has a frame without bound") }
    }
}

match($0, /^edge: \{ sourcename: "[^"]*"/) {
    count++
    source[count] = substr($0, 22, RLENGTH - 22)
    rest = substr($0, RLENGTH + 1)
    match(rest, /targetname: "[^"]*"/)
    target[count] = substr(rest, RSTART + 13, RLENGTH - 14)
    place[count] = match(rest, /label: "[^"]*"/) ? substr(rest, RSTART + 8, RLENGTH - 9) : ""
}

END {
    for (i = 1; i <= count; i++) {
        if (target[i] == "__indirect_call") { target[i] = "*" place[i] }
        calls[source[i]] = calls[source[i]] target[i] "\n"
    }
    root_count = split(roots, wanted, " ")
    for (i = 1; i <= root_count; i++) {
        name = wanted[i]
        if (!(name in frame)) { fail("no call graph of " name ": an old build? `make clean`") }
        line = sprintf("%d %s:", worst(name), name)
        for (arrow = ""; name != ""; name = next_of[name]) {
            line = line arrow " " plain(name) " (" frame[name] ")"
            arrow = " >"
        }
        print line
    }
    exit status
}
