/* SPDX-License-Identifier: MIT */
/* Can the wire library be preloaded into a program? Asked by slotwise before it starts a client,
 * and inside clients before they start another program: a program with another loader (musl) does
 * not start at all with our library in LD_PRELOAD. No allocation, no stdio. */
#ifndef SLW_COLLECTOR_TAPS_WIRE_LOADABLE_H
#define SLW_COLLECTOR_TAPS_WIRE_LOADABLE_H

/* clang-format off */
#define SLW_LOADABLES(X)                                                                           \
    X(YES, "")                                                                                     \
    X(STATIC, "it is statically linked")                                                           \
    X(OTHER_LOADER, "its loader is not glibc's")                                                   \
    X(OTHER_CLASS, "it is built for another architecture")                                         \
    X(PRIVILEGED, "it gains privileges (setuid, setgid or file capabilities)")                      \
    X(UNKNOWN, "its file is neither an ELF program nor a script")
/* clang-format on */
enum slw_loadable {
#define X(name, text) SLW_LOADABLE_##name,
    SLW_LOADABLES(X)
#undef X
        SLW_LOADABLE_COUNT
};

/* Of the program at `path`; of a script, its interpreter decides. A file that cannot be read
 * (execute permission only) is taken to be loadable: nothing speaks against it. */
enum slw_loadable slw_wire_loadable(const char *path);

/* Must our library be taken out of the environment of such a program, so that it works? */
static inline int slw_wire_breaks(enum slw_loadable l)
{
    return l == SLW_LOADABLE_OTHER_LOADER || l == SLW_LOADABLE_OTHER_CLASS;
}

const char *slw_wire_loadable_text(enum slw_loadable l);

#endif
