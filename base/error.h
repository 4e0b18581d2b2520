/* SPDX-License-Identifier: MIT */
/* The one error object every room fills and only cli/ prints. Says what failed, where, why and
 * what to do. Not for warnings: those are notes in the run (record/run.h). */
#ifndef SLW_BASE_ERROR_H
#define SLW_BASE_ERROR_H

#include <stdarg.h>

/* name, process exit status (architecture.md section 6), default text, hint: what to do */
#define SLW_ERRORS(X)                                                                              \
    X(USAGE, 64, "bad command line", "see 'slotwise help'")                                        \
    X(INVAL, 65, "invalid value", NULL)                                                            \
    X(FORMAT, 65, "malformed input",                                                               \
      "check that the file is complete and of the kind the command expects")                       \
    X(VERSION, 65, "written by a newer slotwise", "read it with the slotwise that wrote it")       \
    X(NODATA, 65, "no data", NULL)                                                                 \
    X(RANGE, 65, "value out of range", NULL)                                                       \
    X(LIMIT, 65, "input exceeds a limit of slotwise", NULL)                                        \
    X(NOTFOUND, 65, "not found", "check the path")                                                 \
    X(EXISTS, 65, "already exists", "choose another name with -o")                                 \
    X(PERM, 69, "not permitted", "run 'slotwise doctor' to see which permission is missing")       \
    X(UNSUPPORTED, 69, "cannot be measured here", "run 'slotwise doctor' to see why")              \
    X(EXEC, 69, "the command could not be started", "check its name and your PATH")                \
    X(GONE, 69, "the process is gone", NULL)                                                       \
    X(IO, 70, "input/output failed", NULL)                                                         \
    X(FULL, 70, "no space left", "free some space or write elsewhere with -o")                     \
    X(NOMEM, 70, "out of memory", NULL)                                                            \
    X(INTERNAL, 70, "internal error", "please report this as a bug of slotwise")

/* clang-format off */
enum slw_code {
    SLW_E_OK = 0,
#define X(name, exit_status, text, hint) SLW_E_##name,
    SLW_ERRORS(X)
#undef X
    SLW_E_COUNT
};
/* clang-format on */

/* Owned by the caller, plain storage, no release needed. Zero-initialise before use. */
struct slw_error {
    enum slw_code code;
    int sys;         /* errno at the point of failure, or 0 */
    char text[512];  /* one line, no newline: what failed and why */
    char where[256]; /* "file:line:column", "file, offset 0x1f8", or empty */
    char hint[256];  /* what to do; empty means slw_code_hint(code) */
};

/* Record the first failure in *err (NULL is allowed; a failure already there is kept) and return
 * -code, so that a caller can write `return slw_fail(...)`. */
__attribute__((format(printf, 3, 4))) int slw_fail(struct slw_error *err, enum slw_code code,
                                                   const char *fmt, ...);
__attribute__((format(printf, 3, 0))) int slw_vfail(struct slw_error *err, enum slw_code code,
                                                    const char *fmt, va_list ap);

/* The same for a failed system call: remembers errno `sys` and appends ": strerror(sys)". ENOSPC
 * and EDQUOT become SLW_E_FULL and ENOMEM becomes SLW_E_NOMEM, whatever code was given. */
__attribute__((format(printf, 4, 5))) int slw_fail_sys(struct slw_error *err, enum slw_code code,
                                                       int sys, const char *fmt, ...);

/* Say where (once; the first place wins) and what to do about it. NULL err is allowed. */
__attribute__((format(printf, 2, 3))) void slw_error_at(struct slw_error *err, const char *fmt,
                                                        ...);
__attribute__((format(printf, 2, 3))) void slw_error_hint(struct slw_error *err, const char *fmt,
                                                          ...);

/* Default text, hint (may be NULL), exit status and symbolic name of a code. Static strings. */
const char *slw_code_text(enum slw_code code);
const char *slw_code_hint(enum slw_code code);
int slw_code_exit_status(enum slw_code code);
const char *slw_code_name(enum slw_code code);

#endif
