/* SPDX-License-Identifier: MIT */
#include "collector/taps/offcpu/initial.h"

#include "base/cleanup.h"
#include "collector/taps/offcpu/classes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool take_hex(const char **at, uint64_t *ret_value)
{
    char *end;

    errno = 0;
    *ret_value = strtoull(*at, &end, 16);
    if (end == *at || errno != 0)
        return false;
    *at = end;
    return true;
}

bool slw_off_parse_syscall(const char *text, uint64_t *ret_number, uint64_t ret_args[2])
{
    char *end;
    uint64_t args[2];

    if (*text < '0' || *text > '9') /* "running", or "-1": in no system call */
        return false;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    const char *at = end;
    if (errno != 0 || !take_hex(&at, &args[0]) || !take_hex(&at, &args[1]))
        return false;
    *ret_number = number;
    ret_args[0] = args[0];
    ret_args[1] = args[1];
    return true;
}

char slw_off_parse_state(const char *text)
{
    const char *name_end = strrchr(text, ')'); /* the name may hold anything but is followed by */

    return name_end && name_end[1] == ' ' && name_end[2] ? name_end[2] : '?';
}

static bool read_task(uint32_t pid, uint32_t tid, const char *name, char *text, size_t size)
{
    char path[96];

    (void)snprintf(path, sizeof(path), "/proc/%u/task/%u/%s", pid, tid, name);
    int SLW_AUTO(close) fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static enum slw_off_kind kind_of(uint32_t pid, uint64_t fd)
{
    char path[96];
    struct stat st;

    (void)snprintf(path, sizeof(path), "/proc/%u/fd/%u", pid, (unsigned)fd);
    return stat(path, &st) == 0 ? slw_off_kind(st.st_mode) : SLW_OFF_KIND_UNKNOWN;
}

enum slw_off_state slw_off_initial(uint32_t pid, uint32_t tid)
{
    struct slw_off_call call = {0};
    uint8_t classes[SLW_OFF_SYSCALLS];
    char text[512];
    uint64_t number, args[2];

    char state = read_task(pid, tid, "stat", text, sizeof(text)) ? slw_off_parse_state(text) : '?';
    if (state != 'S' && state != 'D')
        return SLW_OFF_UNSPLIT;
    if (!read_task(pid, tid, "syscall", text, sizeof(text)) ||
        !slw_off_parse_syscall(text, &number, args) || number >= SLW_OFF_SYSCALLS)
        return SLW_OFF_UNSPLIT;
    slw_off_classes(classes, sizeof(classes));
    call.class = classes[number];
    call.uninterruptible = state == 'D';
    /* The memory of the other process is not read: one descriptor of poll stays unknown. */
    if (call.class == SLW_OFF_CLASS_POLL && args[1] == 1)
        return SLW_OFF_UNSPLIT;
    call.fd_count = call.class == SLW_OFF_CLASS_SELECT ? args[0] : args[1];
    if (call.class == SLW_OFF_CLASS_READ || call.class == SLW_OFF_CLASS_WRITE)
        call.kind = kind_of(pid, args[0]);
    return slw_off_cause(&call);
}

void slw_off_comm(uint32_t pid, uint32_t tid, char ret_comm[16])
{
    if (!read_task(pid, tid, "comm", ret_comm, 16))
        return;
    ret_comm[strcspn(ret_comm, "\n")] = '\0';
}
