/* SPDX-License-Identifier: MIT */
/* Which system calls wait for what, by number, for the machine this is compiled for. */
#ifndef SLW_COLLECTOR_TAPS_OFFCPU_CLASSES_H
#define SLW_COLLECTOR_TAPS_OFFCPU_CLASSES_H

#include <stddef.h>
#include <stdint.h>

/* Fill classes[number] with enum slw_off_class; numbers of count and more are left out. */
void slw_off_classes(uint8_t *classes, size_t count);

#endif
