/* SPDX-License-Identifier: MIT */
#include "sim/qemu/program.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static ssize_t read_start(const char *path, char *bytes, size_t size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t length = fd >= 0 ? read(fd, bytes, size) : -1;

    if (fd >= 0)
        (void)close(fd);
    return length;
}

/* Source: elf.h; 62 is EM_X86_64. */
static bool is_x86_64(const char *bytes, ssize_t length)
{
    return length >= 20 && memcmp(bytes, "\177ELF\2\1", 6) == 0 && bytes[18] == 62 &&
           bytes[19] == 0;
}

static void take_line(char *line, struct slw_qemu_program *to)
{
    line[strcspn(line, "\n")] = '\0';
    for (size_t end = strlen(line); end > 0 && strchr(" \t", line[end - 1]); end--)
        line[end - 1] = '\0';
    line += strspn(line, " \t");
    const size_t word = strcspn(line, " \t");
    const char *argument = line + word + strspn(line + word, " \t");

    memcpy(to->argument, argument, strlen(argument) + 1);
    line[word] = '\0';
    memcpy(to->interpreter, line, word + 1);
}

void slw_qemu_look_at_program(const char *path, struct slw_qemu_program *ret_program)
{
    char start[SLW_QEMU_SCRIPT_LINE] = "", of_interpreter[64] = "";
    const ssize_t length = read_start(path, start, sizeof(start) - 1);

    *ret_program = (struct slw_qemu_program){.kind = SLW_QEMU_FOREIGN};
    if (length < 0) {
        ret_program->kind = SLW_QEMU_UNREADABLE;
    } else if (is_x86_64(start, length)) {
        ret_program->kind = SLW_QEMU_ELF;
    } else if (length > 2 && memcmp(start, "#!", 2) == 0) {
        take_line(start + 2, ret_program);
        if (is_x86_64(of_interpreter,
                      read_start(ret_program->interpreter, of_interpreter, sizeof(of_interpreter))))
            ret_program->kind = SLW_QEMU_SCRIPT;
    }
}
