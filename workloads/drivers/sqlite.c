/* SPDX-License-Identifier: MIT */
#include "workloads/driver.h"
const struct slw_driver slw_driver_sqlite = {.name = "sqlite"};
