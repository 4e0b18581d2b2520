/* SPDX-License-Identifier: MIT */
#include "workloads/workload.h"
const struct slw_workload slw_workload_shards = {.name = "shards"};
