/* SPDX-License-Identifier: MIT */
/* The pure parsers behind slw_host_read: text of /proc, /sys and /etc in, facts out. Apart for the
 * tests and the fuzzer. */
#ifndef SLW_COLLECTOR_HOST_INT_H
#define SLW_COLLECTOR_HOST_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLW_MAX_HOST_TEXT 128 /* longest name kept; marketing names have 48 bytes on x86 */

/* What the first processor of /proc/cpuinfo says. Numbers are -1 and texts "" when absent. */
struct slw_cpuinfo {
    char vendor[SLW_MAX_HOST_TEXT];
    char name[SLW_MAX_HOST_TEXT];
    char microcode[SLW_MAX_HOST_TEXT];
    int family, model, stepping;
    int implementer, part, variant, revision;
    bool hypervisor; /* the flag of that name: CPUID.1:ECX bit 31 */
};
void slw_host_parse_cpuinfo(const char *text, size_t length, struct slw_cpuinfo *ret_info);

/* The value of KEY in os-release(5) text, unquoted and unescaped, control characters dropped.
 * False when absent or empty. */
bool slw_host_parse_os_release(const char *text, size_t length, const char *key,
                               char ret_value[SLW_MAX_HOST_TEXT]);

/* Number of CPUs in a list such as "0-3,8,10-11"; -1 when it is malformed or absurd. */
#define SLW_MAX_CPUS 65536 /* eight times the largest CONFIG_NR_CPUS of a distribution */
int slw_host_parse_cpu_list(const char *text);

/* MIDR_EL1 as sysfs prints it. Source: Arm ARM, D19.2.128. False when it is not a number. */
bool slw_host_parse_midr(const char *text, struct slw_cpuinfo *ret_info);

/* The name of a hypervisor from its 12-byte CPUID signature; NULL when nobody is known by it. */
const char *slw_host_hypervisor_name(const char signature[12]);

/* Read a file of root + path into text (NUL-terminated, cut at size), trailing blanks removed.
 * Returns its length, or -1 when it cannot be read. */
long long slw_host_text(const char *root, const char *path, char *text, size_t size);

/* The same for a decimal number, which may be negative. False when it is none. */
bool slw_host_number(const char *root, const char *path, int *ret_value);

#endif
