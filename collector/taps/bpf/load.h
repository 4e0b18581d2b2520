/* SPDX-License-Identifier: MIT */
/* What all BPF programs have in common when they are loaded: silence, and words for a refusal. */
#ifndef SLW_COLLECTOR_TAPS_BPF_LOAD_H
#define SLW_COLLECTOR_TAPS_BPF_LOAD_H

#include "base/error.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdint.h>

/* For libbpf_set_print: a library does not print; what went wrong comes back as errno. */
int slw_bpf_say_nothing(enum libbpf_print_level level, const char *format, va_list args);

/* Why the kernel did not do `what` with a program; `sys` is an errno. -SLW_E_UNSUPPORTED: no BTF,
 * too old a kernel. -SLW_E_PERM: refused. Both with a hint. -SLW_E_NOMEM, -SLW_E_IO
 * (descriptors). */
int slw_bpf_refused(int sys, const char *what, struct slw_error *err);

/* Bytes of its maps, for the self cost. */
uint64_t slw_bpf_map_bytes(const struct bpf_object *object);

/* Time its programs ran, as far as the kernel measured it (bpf_enable_stats). */
uint64_t slw_bpf_time_ns(const struct bpf_object *object);

#endif
