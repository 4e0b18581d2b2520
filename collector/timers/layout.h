/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What the BPF program on the timers and its loader share. Plain C for both compilers. */
#ifndef SLW_COLLECTOR_TIMERS_LAYOUT_H
#define SLW_COLLECTOR_TIMERS_LAYOUT_H

#define SLW_TIMER_PROCESSES 16384 /* of the target at a time, unreaped ones included; 1.5 MiB */

enum slw_timer_state {
    SLW_TIMER_HELD = 1, /* the command before its exec: not sampled yet */
    SLW_TIMER_FOLLOWED
};

#endif
