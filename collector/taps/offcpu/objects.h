/* SPDX-License-Identifier: MIT */
/* What threads waited for, in words: a lock by the variable it is, a server by its address. Where
 * a lock is has to be looked up while its process lives. Not for: how long (offcpu.bpf.c). */
#ifndef SLW_COLLECTOR_TAPS_OFFCPU_OBJECTS_H
#define SLW_COLLECTOR_TAPS_OFFCPU_OBJECTS_H

#include "base/error.h"
#include "record/run.h"

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/taps/offcpu/layout.h"

#define SLW_OFF_PLACES 64 /* locks whose variable is looked for, the first that are waited for */

struct slw_off_objects;

struct slw_off_objects *slw_off_objects_new(void);    /* NULL: no memory */
void slw_off_objects_free(struct slw_off_objects *o); /* NULL allowed */

/* One of those the BPF program keeps: look where it is, if that is not known. Allocates nothing. */
void slw_off_objects_look(struct slw_off_objects *o, const struct slw_off_object *object);

/* The same at the end, with what was waited for it. */
void slw_off_objects_add(struct slw_off_objects *o, const struct slw_off_object *object,
                         const struct slw_off_object_sum *sum);

/* The largest first -> run->waited_for. */
int slw_off_objects_put(struct slw_off_objects *o, struct slw_run *run, struct slw_error *err);

#endif
