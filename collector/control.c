/* SPDX-License-Identifier: MIT */
#include "collector/control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool complete(struct slw_control_lines *lines, enum slw_control_command *ret_command)
{
    static const char *const names[] = {"start", "stop", "quit"};
    size_t length = lines->length;

    lines->length = 0;
    while (length > 0 && is_blank(lines->line[length - 1]))
        length--;
    if (length == 0)
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (length == strlen(names[i]) && memcmp(lines->line, names[i], length) == 0) {
            *ret_command = (enum slw_control_command)i;
            return true;
        }
    }
    lines->unknown_count++;
    return false;
}

bool slw_control_feed(struct slw_control_lines *lines, char byte,
                      enum slw_control_command *ret_command)
{
    if (byte == '\n')
        return complete(lines, ret_command);
    if (lines->length == 0 && is_blank(byte))
        return false;
    /* A full buffer stays full: no command is that long, blanks behind one apart. */
    if (lines->length < sizeof(lines->line))
        lines->line[lines->length++] = byte;
    else if (!is_blank(byte))
        lines->line[sizeof(lines->line) - 1] = '?';
    return false;
}

int slw_control_open(const char *path, int *ret_fd, struct slw_error *err)
{
    struct stat st;
    /* Our own write end keeps the FIFO open when a writer leaves. */
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return slw_fail_sys(err, errno == ENOENT ? SLW_E_NOTFOUND : SLW_E_PERM, errno,
                            "cannot open the control FIFO '%s'", path);
    if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode)) {
        (void)close(fd);
        slw_error_hint(err, "make one with: mkfifo %s", path);
        return slw_fail(err, SLW_E_INVAL, "'%s' is not a FIFO", path);
    }
    *ret_fd = fd;
    return 0;
}
