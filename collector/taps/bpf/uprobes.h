/* SPDX-License-Identifier: MIT */
/* Many uprobes in one link: Linux 6.6. One link detaches all of its uprobes at once, where each
 * that is a perf event of its own waits 0.1 s to go away. */
#ifndef SLW_COLLECTOR_TAPS_BPF_UPROBES_H
#define SLW_COLLECTOR_TAPS_BPF_UPROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLW_UPROBES_ATTACH_TYPE 48 /* BPF_TRACE_UPROBE_MULTI, with which programs are loaded */

struct slw_uprobes {
    const char *path;
    const uint64_t *offsets, *semaphores, *cookies; /* semaphores: NULL, or 0 for those without */
    size_t count;
    bool at_return;
};

/* A descriptor, which holds them, or -errno. */
int slw_uprobes_link(int program_fd, const struct slw_uprobes *u);

/* Does the kernel have such links? The program was loaded for them. */
bool slw_uprobes_work(int program_fd);

#endif
