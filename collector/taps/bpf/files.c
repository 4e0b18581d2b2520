/* SPDX-License-Identifier: MIT */
#include "collector/taps/bpf/files.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "collector/procfs.h"
#include "collector/taps/bpf/tasks.h"
#include "collector/target.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_FILES      4096 /* looked at */
#define MAX_SCRIPTS    4    /* Linux follows "#!" so often: fs/exec.c */
#define MAX_HEAD       256  /* and reads no more of a script: BINPRM_BUF_SIZE */
#define MAX_HEADERS    64   /* program headers looked at; programs have about 13 */
#define MAX_LIST_LINES 4096
#define MAX_PROC_BYTES (16u << 20)
#define DEFAULT_PATH   "/bin:/usr/bin" /* of execvp, where there is none */
#define GLIBC_LOADER   "ld-linux"

struct search {
    slw_tap_file_fn *fn;
    void *ctx;
    struct {
        dev_t dev;
        ino_t inode;
    } seen[MAX_FILES];
    size_t seen_count;
    uint32_t pid; /* the last process looked at */
};

/* ---- one file ---- */

static bool is_new(struct search *s, const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0 || s->seen_count == MAX_FILES)
        return false;
    for (size_t i = 0; i < s->seen_count; i++)
        if (s->seen[i].dev == st.st_dev && s->seen[i].inode == st.st_ino)
            return false;
    s->seen[s->seen_count].dev = st.st_dev;
    s->seen[s->seen_count++].inode = st.st_ino;
    return true;
}

static int look_at(struct search *s, const char *path, struct slw_error *err)
{
    return is_new(s, path) ? s->fn(s->ctx, path, err) : 0;
}

/* ---- a command ---- */

static const char *path_of(char *const *envp)
{
    for (size_t i = 0; envp && envp[i]; i++)
        if (strncmp(envp[i], "PATH=", 5) == 0)
            return envp[i] + 5;
    return DEFAULT_PATH;
}

/* As execvp finds it. */
static bool find_program(const char *name, char *const *envp, char ret_path[PATH_MAX])
{
    if (strchr(name, '/'))
        return snprintf(ret_path, PATH_MAX, "%s", name) < PATH_MAX;
    for (const char *p = path_of(envp), *end; p; p = *end ? end + 1 : NULL) {
        end = strchrnul(p, ':');
        int length = (int)(end - p);
        int n = length > 0 ? snprintf(ret_path, PATH_MAX, "%.*s/%s", length, p, name)
                           : snprintf(ret_path, PATH_MAX, "%s", name);

        if (n < PATH_MAX && access(ret_path, X_OK) == 0)
            return true;
    }
    return false;
}

/* The next word of a line, cut out; NULL when there is none. */
static char *next_word(char **line)
{
    char *word = *line + strspn(*line, " \t");
    size_t n = strcspn(word, " \t\n");

    *line = word + n + (word[n] != '\0');
    word[n] = '\0';
    return n > 0 ? word : NULL;
}

/* The interpreter of a script, in place of its path; false: it is none. "env" starts another. */
static bool follow_script(char path[PATH_MAX], char *const *envp)
{
    char head[MAX_HEAD + 2] = {0};
    int SLW_AUTO(close) fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || slw_read_full(fd, head, MAX_HEAD) < 3 || strncmp(head, "#!", 2) != 0)
        return false;
    head[strcspn(head, "\n")] = '\0';
    char *line = head + 2, *name = next_word(&line);
    const char *slash = name ? strrchr(name, '/') : NULL;
    if (slash && strcmp(slash + 1, "env") == 0) {
        const char *what = next_word(&line);
        if (what && strcmp(what, "-S") == 0)
            what = next_word(&line);
        if (what && *what != '-' && !strchr(what, '='))
            return find_program(what, envp, path);
    }
    return name && snprintf(path, PATH_MAX, "%s", name) < PATH_MAX;
}

bool slw_tap_program(const char *name, char *const *envp, char ret_path[PATH_MAX])
{
    if (!find_program(name, envp, ret_path))
        return false;
    for (int i = 0; i < MAX_SCRIPTS && follow_script(ret_path, envp); i++)
        ;
    return true;
}

/* glibc's loader of this program. Another one might not know --list, and start it. */
static bool find_loader(const char *path, char ret_loader[PATH_MAX])
{
    int SLW_AUTO(close) fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    Elf64_Ehdr e;
    Elf64_Phdr p;

    if (fd < 0 || pread(fd, &e, sizeof(e), 0) != (ssize_t)sizeof(e) ||
        memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_ident[EI_CLASS] != ELFCLASS64)
        return false;
    for (uint64_t i = 0; i < e.e_phnum && i < MAX_HEADERS; i++) {
        if (pread(fd, &p, sizeof(p), (off_t)(e.e_phoff + i * sizeof(p))) != (ssize_t)sizeof(p))
            return false;
        if (p.p_type != PT_INTERP)
            continue;
        memset(ret_loader, 0, PATH_MAX);
        if (p.p_filesz == 0 || p.p_filesz >= PATH_MAX ||
            pread(fd, ret_loader, (size_t)p.p_filesz, (off_t)p.p_offset) != (ssize_t)p.p_filesz)
            return false;
        const char *name = strrchr(ret_loader, '/');
        return name && strncmp(name + 1, GLIBC_LOADER, strlen(GLIBC_LOADER)) == 0;
    }
    return false;
}

char *slw_tap_parse_list(char *line)
{
    char *arrow = strstr(line, "=> ");
    char *path = arrow ? arrow + 3 : line + strspn(line, " \t");
    char *end = strstr(path, " (0x");

    if (*path != '/' || !end)
        return NULL;
    *end = '\0';
    return path;
}

/* What it prints, or NULL. stderr goes where nobody is disturbed. */
static FILE *start_loader(const char *loader, const char *path, char *const *envp, pid_t *ret_pid)
{
    char *argv[] = {strdupa(loader), strdupa("--list"), strdupa(path), NULL};
    posix_spawn_file_actions_t actions;
    static char *const nothing[] = {NULL};
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return NULL;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc == 0) {
        (void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        (void)posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        (void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        rc = posix_spawn(ret_pid, loader, &actions, NULL, argv, envp ? envp : nothing);
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    (void)close(ends[1]);
    FILE *out = rc == 0 ? fdopen(ends[0], "r") : NULL;
    if (!out)
        (void)close(ends[0]);
    return out;
}

static int look_at_libraries(struct search *s, const char *path, char *const *envp,
                             struct slw_error *err)
{
    char loader[PATH_MAX], line[PATH_MAX * 2];
    pid_t pid = 0;
    int rc = 0;

    if (!find_loader(path, loader))
        return 0; /* static, or for another loader */
    FILE *out = start_loader(loader, path, envp, &pid);
    for (int i = 0; out && i < MAX_LIST_LINES && rc == 0 && fgets(line, sizeof(line), out); i++) {
        const char *library = slw_tap_parse_list(line);

        rc = library ? look_at(s, library, err) : 0;
    }
    if (out)
        (void)fclose(out); /* if it has more to say, it ends by SIGPIPE */
    if (pid > 0)
        (void)waitpid(pid, NULL, 0);
    return rc;
}

static int look_at_command(struct search *s, const struct slw_session_options *opts,
                           struct slw_error *err)
{
    char path[PATH_MAX];

    if (!slw_tap_program(opts->argv[0], opts->envp, path))
        return 0; /* starting it will say so */
    int rc = look_at(s, path, err);
    return rc < 0 ? rc : look_at_libraries(s, path, opts->envp, err);
}

/* ---- processes ---- */

/* The path as the process sees it may be another file for us, or gone. */
static int look_at_mapping(struct search *s, uint32_t pid, const struct slw_proc_mapping *m,
                           struct slw_error *err)
{
    char path[PATH_MAX + 64];

    if (!(m->prot & PROT_EXEC) || m->name_length == 0 || m->name[0] != '/')
        return 0;
    int n = snprintf(path, sizeof(path), "/proc/%u/root%.*s", pid, (int)m->name_length, m->name);
    return n < (int)sizeof(path) ? look_at(s, path, err) : 0;
}

static int look_at_process(struct search *s, uint32_t pid, struct slw_error *err)
{
    char *SLW_AUTO(free) text = NULL;
    struct slw_proc_mapping m;
    char path[64];
    size_t length = 0;

    (void)snprintf(path, sizeof(path), "/proc/%u/exe", pid);
    int rc = look_at(s, path, err);
    (void)snprintf(path, sizeof(path), "/proc/%u/maps", pid);
    if (rc < 0 || slw_file_read(path, MAX_PROC_BYTES, &text, &length, NULL) < 0)
        return rc;
    for (const char *line = text, *end = text + length; line < end && rc == 0;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t line_length = (size_t)((stop ? stop : end) - line);

        if (slw_proc_parse_mapping(line, line_length, &m))
            rc = look_at_mapping(s, pid, &m, err);
        line += line_length + 1;
    }
    return rc;
}

/* The threads of a process come one after the other. */
static int look_at_task(void *ctx, uint32_t pid, uint32_t tid, struct slw_error *err)
{
    struct search *s = ctx;

    (void)tid;
    if (pid == s->pid)
        return 0;
    s->pid = pid;
    return look_at_process(s, pid, err);
}

int slw_tap_files(const struct slw_session_options *opts, const struct slw_live_target *target,
                  slw_tap_file_fn *fn, void *ctx, struct slw_error *err)
{
    struct search *SLW_AUTO(free) s = calloc(1, sizeof(*s));

    if (!s)
        return slw_fail(err, SLW_E_NOMEM, "no memory to look for files");
    s->fn = fn;
    s->ctx = ctx;
    if (target->kind == SLW_TARGET_COMMAND)
        return look_at_command(s, opts, err);
    return slw_tap_tasks(target, look_at_task, s, err);
}
