# SPDX-License-Identifier: Apache-2.0
#
# awk -f help_of_man.awk PAGE.scd...: prints C source (tools/otter/help.h) that holds the
# manual pages as plain text, so that --help and the manual pages are one text. Takes the
# part of scdoc's language that docs/man uses: headings, paragraphs, terms with texts
# below them, literal blocks, ++ at a line's end, * and _ around words, \ before a sign.

function reset_page() {
    section = ""; joined = ""; indent = 4; literal = 0; break_next = 0
}

# A C string. By hand: awks differ in what \ means in a replacement.
function quote(text,    out, i, c) {
    out = ""
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        out = out (c == "\\" || c == "\"" ? "\\" : "") c
    }
    return "\"" out "\""
}

function put(list, text) {
    sub(/ +$/, "", text)
    if (list == "usage") usage[++usages] = text
    else body[++bodies] = text
}

# Without * and _ that mark words, and without the \ that protects a sign.
function plain(text,    out, i, c, before, after) {
    out = ""
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        before = substr(text, i - 1, i > 1 ? 1 : 0)
        after = substr(text, i + 1, 1)
        if (c == "\\") { i++; out = out substr(text, i, 1); continue }
        if (c == "*") continue
        if (c == "_" && !(before ~ /[A-Za-z0-9]/ && after ~ /[A-Za-z0-9]/)) continue
        out = out c
    }
    return out
}

# Prints what was joined, in lines of at most 79 characters. [...] of a synopsis and
# its options with their values stay whole.
function flush_joined(    words, count, i, line, first, rest, list, word, depth) {
    if (joined == "") return
    list = section == "SYNOPSIS" ? "usage" : "body"
    first = list == "usage" ? "" : sprintf("%" indent "s", "")
    rest = list == "usage" ? "                " : first
    count = split(joined, words, " ")
    line = ""
    for (i = 1; i <= count; i++) {
        word = words[i]
        depth = gsub(/\[/, "[", word) - gsub(/\]/, "]", word)
        while (list == "usage" && i < count && (depth > 0 ||
               (word ~ /^-/ && words[i + 1] !~ /^[-\[]/ && word !~ / /))) {
            word = word " " words[++i]
            depth = gsub(/\[/, "[", word) - gsub(/\]/, "]", word)
        }
        if (line == "") line = first word
        else if (length(line) + 1 + length(word) > (list == "usage" ? 72 : 79)) {
            put(list, line)
            line = rest word
        } else line = line " " word
    }
    put(list, line)
    joined = ""
}

function blank_line() {
    if (bodies > 0 && body[bodies] != "") put("body", "")
}

function end_page(    i) {
    flush_joined()
    while (bodies > 0 && body[bodies] == "") bodies--
    pages++
    names[pages] = page
    summaries[pages] = summary
    printf "static const char *const usage_%d[] = {\n", pages
    for (i = 1; i <= usages; i++) printf "    %s,\n", quote(usage[i])
    printf "    NULL};\n\nstatic const char *const body_%d[] = {\n", pages
    for (i = 1; i <= bodies; i++) printf "    %s,\n", quote(body[i])
    printf "    NULL};\n\n"
    usages = bodies = 0
}

BEGIN {
    print "/* SPDX-License-Identifier: Apache-2.0 */"
    print "/* Made from docs/man by scripts/help_of_man.awk. */"
    print "#include \"help.h\"\n\n#include <stddef.h>\n"
}

FNR == 1 {
    if (NR > 1) end_page()
    reset_page()
    page = FILENAME
    sub(/.*\//, "", page)
    sub(/\.[0-9]\.scd$/, "", page)
    sub(/^otter-/, "", page)
    next
}

/^```/ {
    flush_joined()
    literal = !literal
    next
}

literal {
    put("body", "    " plain($0))
    next
}

/^# / {
    flush_joined()
    section = substr($0, 3)
    if (section != "NAME" && section != "SYNOPSIS") {
        blank_line()
        put("body", section)
    }
    indent = 4
    next
}

/^[ \t]*$/ {
    flush_joined()
    if (bodies > 0 && body[bodies] !~ /^[A-Z]/) blank_line()
    indent = 4
    next
}

section == "NAME" {
    summary = plain($0)
    sub(/^[^ ]+ ([a-z]+ )?- /, "", summary)
    next
}

{
    line = $0
    wanted = line ~ /^\t/ && section != "EXAMPLES" && section != "SYNOPSIS" ? 8 : 4
    if (wanted != indent) { flush_joined(); indent = wanted }
    sub(/^\t+/, "", line)
    hard = sub(/\+\+$/, "", line)
    joined = (joined == "" ? "" : joined " ") plain(line)
    if (hard) flush_joined()
}

END {
    end_page()
    print "const struct help_page help_pages[] = {"
    for (i = 1; i <= pages; i++) {
        printf "    {%s, %s, usage_%d, body_%d},\n", quote(names[i]), quote(summaries[i]), i, i
    }
    print "    {NULL, NULL, NULL, NULL}};"
}
