/* SPDX-License-Identifier: MIT */
/* Lines of /proc and /sys taken apart. Pure: text in, values out; foreign bytes are rejected, never
 * trusted. Source: proc(5), Documentation/admin-guide/cputopology.rst. */
#ifndef SLW_COLLECTOR_PROCFS_H
#define SLW_COLLECTOR_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One line of /proc/PID/maps. */
struct slw_proc_mapping {
    uint64_t start, end, offset, inode;
    uint32_t major, minor;
    uint32_t prot;    /* PROT_READ | PROT_WRITE | PROT_EXEC */
    uint32_t flags;   /* MAP_SHARED or MAP_PRIVATE */
    const char *name; /* inside the line; length 0: anonymous */
    size_t name_length;
};

/* Parse the `length` bytes of a line without its newline. False when it is not a maps line. */
bool slw_proc_parse_mapping(const char *line, size_t length, struct slw_proc_mapping *ret_mapping);

/* Parse a list such as "0-3,8,10-11". Writes at most `capacity` numbers, in ascending order as
 * the kernel prints them; returns how many there are, 0 when the text is malformed or there are
 * more. */
size_t slw_proc_parse_cpu_list(const char *text, int *ret_cpus, size_t capacity);

/* Counters of /proc/PID/stat, in clock ticks and events, of all its threads. */
struct slw_proc_stat {
    uint64_t minor_faults, child_minor_faults, major_faults, child_major_faults;
    uint64_t user_ticks, system_ticks, child_user_ticks, child_system_ticks;
};
bool slw_proc_parse_stat(const char *text, size_t length, struct slw_proc_stat *ret_stat);

/* The PID or TID that a folder of /proc is named after; 0: it is named after something else. */
int slw_proc_parse_id(const char *name);

/* The decimal number after "KEY:" at the start of a line (/proc/PID/status and io). */
bool slw_proc_parse_field(const char *text, const char *key, uint64_t *ret_value);

/* One line of /proc/kallsyms: address, and whether it is the symbol asked for. */
bool slw_proc_parse_symbol(const char *line, size_t length, const char *symbol,
                           uint64_t *ret_address);

/* One line of /proc/modules: name, size and load address. */
struct slw_proc_module {
    const char *name;
    size_t name_length;
    uint64_t address, size_bytes;
};
bool slw_proc_parse_module(const char *line, size_t length, struct slw_proc_module *ret_module);

#endif
