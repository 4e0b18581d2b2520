/* SPDX-License-Identifier: MIT */
#include "analyzer/unwind/trampoline.h"

#include <string.h>

/* sub $8,%rsp (4 bytes); call *%rcx (2); add $8,%rsp (4); ret (1): known by the length, which is
 * another one in versions that keep a frame pointer. */
#define LENGTH       11
#define IN_CALL      5 /* the last byte of the call */
#define ENDBR_LENGTH 4 /* before them, in builds with -fcf-protection */

static const struct slw_cfi_row row = {.cfa = 2, .fp = SLW_CFI_FP_SAME, .kind = SLW_CFI_SP};
static const struct slw_cfi_table table = {.rows = &row, .row_count = 1, .machine = SLW_CFI_X86_64};

bool slw_trampoline_find(const struct slw_symbol *function, uint64_t address,
                         struct slw_unwind_code *ret_code)
{
    const uint64_t length = function->end - function->start, at = address - function->start;

    if (strncmp(function->name, "py::", 4) != 0 ||
        !((length == LENGTH && at == IN_CALL) ||
          (length == LENGTH + ENDBR_LENGTH && at == IN_CALL + ENDBR_LENGTH)))
        return false;
    *ret_code = (struct slw_unwind_code){SLW_UNWIND_CFI, &table, &row};
    return true;
}
