/* SPDX-License-Identifier: MIT */
/* Any bytes as the output of perf stat (text). */
#define IMPORTER slw_importer_perf_stat_text
#include "tests/fuzz/perf_stat_int.h"
