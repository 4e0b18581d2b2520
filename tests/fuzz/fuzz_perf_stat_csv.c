/* SPDX-License-Identifier: MIT */
/* Any bytes as the output of perf stat (csv). */
#define IMPORTER slw_importer_perf_stat_csv
#include "tests/fuzz/perf_stat_int.h"
