/* SPDX-License-Identifier: MIT */
/* Take counters of CPU 0 away, as a watchdog or another profiler does, and run a command.
 *   hold COUNT CMD ARG... */
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE,
                                   .size = sizeof(attr),
                                   .config = PERF_COUNT_HW_CPU_CYCLES,
                                   .pinned = 1};

    if (argc < 3)
        return 64;
    for (int i = 0; i < atoi(argv[1]); i++) {
        /* Not closed by exec: held until the command ends. */
        if (syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0) < 0) {
            perror("hold");
            return 1;
        }
    }
    (void)execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 127;
}
