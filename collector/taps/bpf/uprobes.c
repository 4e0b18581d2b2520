/* SPDX-License-Identifier: MIT */
#include "collector/taps/bpf/uprobes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_RETURN 1u /* BPF_F_UPROBE_MULTI_RETURN */

/* Laid out as BPF_LINK_CREATE of union bpf_attr, which the headers of older distributions have
 * without this. Source: Linux, include/uapi/linux/bpf.h. */
struct multi_link {
    uint32_t prog_fd, target_fd, attach_type, flags;
    uint64_t path, offsets, semaphores, cookies; /* addresses */
    uint32_t count, multi_flags, pid;
    uint32_t unused;
};

int slw_uprobes_link(int program_fd, const struct slw_uprobes *u)
{
    struct multi_link attr = {.prog_fd = (uint32_t)program_fd,
                              .attach_type = SLW_UPROBES_ATTACH_TYPE,
                              .path = (uintptr_t)u->path,
                              .offsets = (uintptr_t)u->offsets,
                              .semaphores = (uintptr_t)u->semaphores,
                              .cookies = (uintptr_t)u->cookies,
                              .count = (uint32_t)u->count,
                              .multi_flags = u->at_return ? AT_RETURN : 0};
    long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

    return fd < 0 ? -errno : (int)fd;
}

/* A folder cannot be probed, which only a kernel that has such links finds out. */
bool slw_uprobes_work(int program_fd)
{
    const uint64_t nothing = 0;
    int fd = slw_uprobes_link(
        program_fd,
        &(struct slw_uprobes){.path = "/", .offsets = &nothing, .cookies = &nothing, .count = 1});

    if (fd >= 0)
        (void)close(fd);
    return fd == -EBADF;
}
