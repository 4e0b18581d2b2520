/* SPDX-License-Identifier: MIT */
/* How the unwinding of stacks ended. */
#ifndef SLW_RECORD_UNWOUND_H
#define SLW_RECORD_UNWOUND_H

#include <stdint.h>

enum slw_unwound_end {
#define SLW_UNWOUND(id, key, words) SLW_UNWOUND_##id,
#include "record/unwound.def"
#undef SLW_UNWOUND
    SLW_UNWOUND_COUNT
};

#endif
