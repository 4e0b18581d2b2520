/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct code_row {
    const char *name;
    int exit_status;
    const char *text;
    const char *hint;
};

/* clang-format off */
static const struct code_row rows[SLW_E_COUNT] = {
    [SLW_E_OK] = {"OK", 0, "success", NULL},
#define X(n, s, t, h) [SLW_E_##n] = {#n, s, t, h},
    SLW_ERRORS(X)
#undef X
};
/* clang-format on */

static const struct code_row *row_of(enum slw_code code)
{
    return &rows[code < SLW_E_COUNT ? code : SLW_E_INTERNAL];
}

int slw_vfail(struct slw_error *err, enum slw_code code, const char *fmt, va_list ap)
{
    if (err && err->code == SLW_E_OK) {
        (void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
        err->code = code;
    }
    return -(int)code;
}

int slw_fail(struct slw_error *err, enum slw_code code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int rc = slw_vfail(err, code, fmt, ap);
    va_end(ap);
    return rc;
}

static enum slw_code code_for_errno(enum slw_code code, int sys)
{
    if (sys == ENOSPC || sys == EDQUOT)
        return SLW_E_FULL;
    if (sys == ENOMEM)
        return SLW_E_NOMEM;
    return code;
}

int slw_fail_sys(struct slw_error *err, enum slw_code code, int sys, const char *fmt, ...)
{
    enum slw_code actual = code_for_errno(code, sys);

    if (err && err->code == SLW_E_OK) {
        va_list ap;

        va_start(ap, fmt);
        (void)slw_vfail(err, actual, fmt, ap);
        va_end(ap);
        err->sys = sys;
        size_t used = strlen(err->text);
        char why[128];
        /* The GNU strerror_r may return a static string instead of filling the buffer. */
        (void)snprintf(err->text + used, sizeof(err->text) - used, ": %s",
                       strerror_r(sys, why, sizeof(why)));
    }
    return -(int)actual;
}

void slw_error_at(struct slw_error *err, const char *fmt, ...)
{
    va_list ap;

    if (!err || err->where[0])
        return;
    va_start(ap, fmt);
    (void)vsnprintf(err->where, sizeof(err->where), fmt, ap);
    va_end(ap);
}

void slw_error_hint(struct slw_error *err, const char *fmt, ...)
{
    va_list ap;

    if (!err || err->hint[0])
        return;
    va_start(ap, fmt);
    (void)vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
    va_end(ap);
}

const char *slw_code_text(enum slw_code code)
{
    return row_of(code)->text;
}

const char *slw_code_hint(enum slw_code code)
{
    return row_of(code)->hint;
}

int slw_code_exit_status(enum slw_code code)
{
    return row_of(code)->exit_status;
}

const char *slw_code_name(enum slw_code code)
{
    return row_of(code)->name;
}
