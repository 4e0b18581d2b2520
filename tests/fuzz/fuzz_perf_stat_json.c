/* SPDX-License-Identifier: MIT */
/* Any bytes as the output of perf stat (json). */
#define IMPORTER slw_importer_perf_stat_json
#include "tests/fuzz/perf_stat_int.h"
