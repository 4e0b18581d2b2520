/* SPDX-License-Identifier: MIT */
#include "collector/taps/bpf/load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

int slw_bpf_say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
    (void)level;
    (void)format;
    (void)args;
    return 0;
}

int slw_bpf_refused(int sys, const char *what, struct slw_error *err)
{
    if (sys == EPERM || sys == EACCES) {
        slw_error_hint(err, "run as root, or grant CAP_BPF and CAP_PERFMON");
        return slw_fail(err, SLW_E_PERM, "the kernel refuses BPF programs (%s: %s)", what,
                        strerror(sys));
    }
    if (sys == ENOMEM)
        return slw_fail(err, SLW_E_NOMEM, "no memory for BPF maps");
    if (sys == EMFILE || sys == ENFILE)
        return slw_fail(err, SLW_E_IO, "too few file descriptors for BPF programs");
    if (access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
        slw_error_hint(err, "a kernel with CONFIG_DEBUG_INFO_BTF is needed");
        return slw_fail(err, SLW_E_UNSUPPORTED, "the kernel has no type information (BTF)");
    }
    slw_error_hint(err, "Linux 5.18 or newer is needed");
    return slw_fail(err, SLW_E_UNSUPPORTED, "the kernel does not take the BPF program (%s: %s)",
                    what, strerror(sys));
}

uint64_t slw_bpf_map_bytes(const struct bpf_object *object)
{
    struct bpf_map *map;
    uint64_t bytes = 0;

    bpf_object__for_each_map(map, object) bytes +=
        (uint64_t)bpf_map__max_entries(map) *
        (bpf_map__key_size(map) + bpf_map__value_size(map) + (bpf_map__value_size(map) == 0));
    return bytes;
}

uint64_t slw_bpf_time_ns(const struct bpf_object *object)
{
    struct bpf_program *program;
    uint64_t ns = 0;

    bpf_object__for_each_program(program, object)
    {
        struct bpf_prog_info info = {0};
        uint32_t size = sizeof(info);
        int fd = bpf_program__fd(program);

        if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
            ns += info.run_time_ns;
    }
    return ns;
}
