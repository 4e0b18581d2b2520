/* SPDX-License-Identifier: MIT */
#include "collector/tap.h"

#define SLW_TAP(name) extern const struct slw_tap slw_tap_##name;
#include "collector/taps.def"
#undef SLW_TAP

#define SLW_TAP(name) &slw_tap_##name,
const struct slw_tap *const slw_taps[] = {
#include "collector/taps.def"
};
#undef SLW_TAP

const size_t slw_tap_count = sizeof(slw_taps) / sizeof(slw_taps[0]);
_Static_assert(sizeof(slw_taps) / sizeof(slw_taps[0]) <= SLW_MAX_TAPS, "raise SLW_MAX_TAPS");
