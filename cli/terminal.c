/* SPDX-License-Identifier: MIT */
#include "cli/terminal.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIN_WIDTH 40 /* narrower than this, tables are unreadable anyway */
#define MAX_WIDTH 1000

/* The terminal's own answer first: COLUMNS may be stale or inherited from somewhere else. */
static int width_of(int fd)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    uint64_t n = 0;

    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= MIN_WIDTH)
        return size.ws_col < MAX_WIDTH ? size.ws_col : MAX_WIDTH;
    if (columns && slw_parse_u64(columns, "COLUMNS", MIN_WIDTH, MAX_WIDTH, &n, NULL) == 0)
        return (int)n;
    return 80;
}

static struct slw_stream stream_of(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    bool plain = (no_color && no_color[0]) || !term || strcmp(term, "dumb") == 0;
    bool is_terminal = isatty(fd) == 1;

    return (struct slw_stream){
        .fd = fd,
        .is_terminal = is_terminal,
        .color = is_terminal && !plain,
        .width = width_of(fd),
    };
}

void slw_terminal_read(struct slw_terminal *ret_terminal)
{
    ret_terminal->out = stream_of(STDOUT_FILENO);
    ret_terminal->err = stream_of(STDERR_FILENO);
}

void slw_terminal_color(struct slw_terminal *t, const char *color)
{
    if (!color || strcmp(color, "auto") == 0)
        return;
    t->out.color = strcmp(color, "always") == 0;
    t->err.color = t->out.color;
}

int slw_terminal_write(const struct slw_stream *s, const struct slw_buf *text,
                       struct slw_error *err)
{
    if (slw_buf_failed(text))
        return slw_fail(err, SLW_E_NOMEM, "no memory for the output");
    int rc = slw_write_all(s->fd, text->data, text->length);
    if (rc < 0)
        return slw_fail_sys(err, SLW_E_IO, -rc, "cannot write the output");
    return 0;
}

/* Print with control characters replaced: an escape sequence in a file name must not reach the
 * terminal. */
static void put_clean(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        (void)fputc(iscntrl(*p) ? '?' : *p, stderr);
}

static void put_line(const char *label, const char *text)
{
    if (!text || !text[0])
        return;
    (void)fputs(label, stderr);
    put_clean(text);
    (void)fputc('\n', stderr);
}

void slw_terminal_error(const char *command, const struct slw_error *err)
{
    (void)fputs("slotwise", stderr);
    if (command)
        (void)fprintf(stderr, " %s", command);
    put_line(": ", err->text[0] ? err->text : slw_code_text(err->code));
    put_line("  where: ", err->where);
    if (err->code != SLW_E_USAGE) {
        put_line("  hint: ", err->hint[0] ? err->hint : slw_code_hint(err->code));
        return;
    }
    put_line("  hint: ", err->hint);
    (void)fprintf(stderr, "  help: slotwise %s%s\n", command ? command : "help",
                  command ? " --help" : "");
}

void slw_terminal_say(const char *fmt, ...)
{
    char line[4096];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    put_line("slotwise: ", line);
}

/* Would a terminal show it as text? Compressed and binary formats hold NULs or escape codes. */
static bool is_text(const struct slw_buf *b)
{
    size_t look = b->length < 4096 ? b->length : 4096;

    for (size_t i = 0; i < look; i++) {
        unsigned char c = (unsigned char)b->data[i];
        if (c < 0x20 && c != '\n' && c != '\t' && c != '\r')
            return false;
    }
    return true;
}

/* A file is replaced whole. What is there already and is no file (/dev/stdout, a FIFO, /dev/full)
 * is written into: replacing it would remove it. */
static int write_path(const char *path, const struct slw_buf *bytes, struct slw_error *err)
{
    struct stat st;

    if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
        return slw_file_write(path, bytes->data ? bytes->data : "", bytes->length, err);
    int SLW_AUTO(close) fd = open(path, O_WRONLY | O_CLOEXEC);
    int rc = fd < 0 ? -errno : slw_write_all(fd, bytes->data, bytes->length);
    return rc < 0 ? slw_fail_sys(err, SLW_E_IO, -rc, "cannot write '%s'", path) : 0;
}

int slw_output_write(const char *path, const struct slw_terminal *t, const struct slw_buf *bytes,
                     struct slw_error *err)
{
    if (slw_buf_failed(bytes))
        return slw_fail(err, SLW_E_NOMEM, "no memory for the output");
    if (path && strcmp(path, "-") != 0)
        return write_path(path, bytes, err);
    if (t->out.is_terminal && !is_text(bytes)) {
        slw_error_hint(err, "name a file with -o FILE, or pipe the output");
        return slw_fail(err, SLW_E_USAGE, "binary output is not written to a terminal");
    }
    return slw_terminal_write(&t->out, bytes, err);
}
