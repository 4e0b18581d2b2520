/* SPDX-License-Identifier: MIT */
/* Threads that were there before us: what each is doing when measuring begins, from /proc. */
#ifndef SLW_COLLECTOR_TAPS_OFFCPU_INITIAL_H
#define SLW_COLLECTOR_TAPS_OFFCPU_INITIAL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "collector/taps/offcpu/cause.h"

/* The line of /proc/PID/task/TID/syscall: false when the thread runs, or is in no system call.
 * Source: proc(5). */
bool slw_off_parse_syscall(const char *text, uint64_t *ret_number, uint64_t ret_args[2]);

/* The state letter of /proc/PID/task/TID/stat; '?' when there is none. */
char slw_off_parse_state(const char *text);

/* What the thread waits for; UNSPLIT when it runs or cannot be looked at. */
enum slw_off_state slw_off_initial(uint32_t pid, uint32_t tid);

/* Name of a thread that lives; "" when it is gone. */
void slw_off_comm(uint32_t pid, uint32_t tid, char ret_comm[16]);

#endif
