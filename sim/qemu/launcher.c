/* SPDX-License-Identifier: MIT */
/* Starts QEMU's user mode with the plugin beside it. QEMU takes a path to an ELF file and nothing
 * else: what a shell and the kernel do (PATH, #!) is done here. The plugin executes this again for
 * what the client executes.
 *
 * usage: slotwise-simulate-qemu OPTIONS... [--] COMMAND...
 *        slotwise-simulate-qemu --check
 * Options are those of the Valgrind tool (docs/simulated.md), and from the plugin --qemu=PATH and
 * --qemu-version=V, which were checked before, and --as=NAME, what the command calls itself.
 * Exit status 69: no QEMU, one without plugins, one too new for this plugin, or a program it cannot
 * run. */
#include "sim/qemu/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define QEMU "qemu-x86_64"
#define NAME "slotwise-simulate-qemu: "

#define MOST_OPTIONS (PATH_MAX * 8)

enum { USAGE = 64, UNAVAILABLE = 69, INTERNAL = 70, MOST_WORDS = 64 };

/* The words before the client's arguments. */
struct words {
    char *words[MOST_WORDS];
    size_t count;
};

/* What the options ask for. */
struct job {
    char plugin[MOST_OPTIONS]; /* after -plugin: its path and its options */
    bool is_repeatable;
    const char *qemu, *version; /* NULL: to be found */
    const char *name;           /* NULL: the command as it was given */
};

static void add(struct words *w, const char *word)
{
    char *copy = strdup(word);

    if (!copy || w->count == MOST_WORDS) {
        (void)fprintf(stderr, NAME "too many options, or out of memory\n");
        exit(INTERNAL);
    }
    w->words[w->count++] = copy;
}

static int unavailable(const char *why, const char *fix)
{
    (void)fprintf(stderr, NAME "%s\n%s\n", why, fix);
    return UNAVAILABLE;
}

/* ---- asking QEMU ---- */

static void run_quietly(char **words, int out)
{
    const int nothing = open("/dev/null", O_RDWR);

    (void)dup2(nothing, STDIN_FILENO);
    (void)dup2(out >= 0 ? out : nothing, STDOUT_FILENO);
    (void)dup2(nothing, STDERR_FILENO);
    (void)execvp(words[0], words);
    _exit(127);
}

/* Exit status of a command, and the beginning of what it printed; -1: it could not be waited for.
 */
static int ask(char **words, char *text, size_t size)
{
    int ends[2], status = 0;
    size_t used = 0;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    const pid_t child = fork();

    if (child == 0)
        run_quietly(words, ends[1]);
    (void)close(ends[1]);
    while (child > 0 && used + 1 < size) {
        const ssize_t length = read(ends[0], text + used, size - 1 - used);

        if (length == 0 || (length < 0 && errno != EINTR))
            break;
        used += length > 0 ? (size_t)length : 0;
    }
    (void)close(ends[0]);
    text[used] = '\0';
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* "qemu-x86_64 version 7.2.22 (Debian ...)": the word after "version". */
static int read_version(char *version, size_t size, int *ret_major)
{
    char text[256] = "", name[] = QEMU, option[] = "--version";
    char *words[] = {name, option, NULL};
    const int status = ask(words, text, sizeof(text));
    const char *at = strstr(text, "version ");

    if (status == 127)
        return unavailable(QEMU " is not installed", "install qemu-user");
    if (status != 0 || !at)
        return unavailable(QEMU " does not say which version it is", "install qemu-user");
    at += strlen("version ");
    (void)snprintf(version, size, "%.*s", (int)strcspn(at, " (\n"), at);
    *ret_major = (int)strtol(version, NULL, 10);
    return 0;
}

/* Whether it takes this plugin, by running nothing with it. */
static int check(const char *self, const char *plugin, char *version, size_t size)
{
    char text[256] = "", option[MOST_OPTIONS + 16], name[] = QEMU, flag[] = "-plugin";
    char program[PATH_MAX], nothing[] = "--nothing";
    char *words[] = {name, flag, option, program, nothing, NULL};
    int major = 0;
    const int status = read_version(version, size, &major);

    if (status != 0)
        return status;
    if (major < 5)
        return unavailable(QEMU " is older than 5.0", "install qemu-user 7.2");
    if (major > 8)
        return unavailable(QEMU " 9 and later have another plugin interface",
                           "install qemu-user 7.2, or use the carrier valgrind");
    (void)snprintf(option, sizeof(option), "%.*s,probe=1", MOST_OPTIONS, plugin);
    (void)snprintf(program, sizeof(program), "%s", self);
    if (ask(words, text, sizeof(text)) != 0)
        return unavailable(QEMU " does not take the plugin (is it built without plugins?)",
                           "install qemu-user from Debian, or use the carrier valgrind");
    return 0;
}

/* ---- the program ---- */

/* As a shell finds it; "": nowhere. */
static void find_program(const char *name, char *path, size_t size)
{
    const char *from = getenv("PATH");

    path[0] = '\0';
    if (strchr(name, '/')) {
        (void)snprintf(path, size, "%s", name);
        return;
    }
    for (from = from ? from : "/usr/bin:/bin"; *name; from++) {
        const size_t length = strcspn(from, ":");
        struct stat file;

        (void)snprintf(path, size, "%.*s%s%s", (int)length, from, length ? "/" : "./", name);
        if (stat(path, &file) == 0 && S_ISREG(file.st_mode) && access(path, X_OK) == 0)
            return;
        from += length;
        path[0] = '\0';
        if (*from == '\0')
            return;
    }
}

static int add_script(struct words *w, const struct slw_qemu_program *program, const char *script)
{
    add(w, program->interpreter);
    if (program->argument[0])
        add(w, program->argument);
    add(w, script);
    return 0;
}

/* The path of an ELF file, then what comes before the client's own arguments: a script is an
 * argument of its interpreter. */
static int add_program(struct words *w, const char *command, const char *name)
{
    char path[PATH_MAX];
    struct slw_qemu_program program;

    find_program(command, path, sizeof(path));
    slw_qemu_look_at_program(path, &program);
    switch (program.kind) {
    case SLW_QEMU_UNREADABLE:
        (void)fprintf(stderr, NAME "%s: %s\n", command, strerror(path[0] ? errno : ENOENT));
        return path[0] && errno == EACCES ? 126 : 127;
    case SLW_QEMU_SCRIPT:
        return add_script(w, &program, path);
    case SLW_QEMU_ELF:
        add(w, "-0");
        add(w, name ? name : command);
        add(w, path);
        return 0;
    case SLW_QEMU_FOREIGN:
        break;
    }
    if (program.interpreter[0])
        return unavailable("a script whose interpreter is no program for x86-64",
                           "name the interpreter itself in the command");
    return unavailable("not a program for x86-64", "use the carrier valgrind, or another host");
}

/* ---- options ---- */

/* For -plugin: a comma separates, two are one. */
static void add_escaped(char *to, size_t size, const char *value)
{
    size_t used = strlen(to);

    for (; *value && used + 2 < size; value++) {
        to[used++] = *value;
        if (*value == ',')
            to[used++] = ',';
    }
    to[used] = '\0';
}

/* "--period=7" as "period=7" */
static bool take_plugin_option(const char *word, size_t length, struct job *job)
{
    static const char *const known[] = {"core",   "core-name", "out", "period",
                                        "detail", "start",     "det"};
    char *plugin = job->plugin;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strlen(known[i]) != length || memcmp(known[i], word, length) != 0)
            continue;
        (void)snprintf(plugin + strlen(plugin), sizeof(job->plugin) - strlen(plugin),
                       ",%s=", known[i]);
        add_escaped(plugin, sizeof(job->plugin), word + length + 1);
        job->is_repeatable |= strcmp(word, "det=yes") == 0;
        return true;
    }
    return false;
}

static bool take_own_option(const char *word, size_t length, struct job *job)
{
    const struct {
        const char *name;
        const char **to;
    } own[] = {{"qemu", &job->qemu}, {"qemu-version", &job->version}, {"as", &job->name}};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strlen(own[i].name) != length || memcmp(own[i].name, word, length) != 0)
            continue;
        *own[i].to = word + length + 1;
        return true;
    }
    return false;
}

/* What only the Valgrind tool knows is left out. */
static int take_option(const char *word, struct job *job)
{
    static const char *const ignored[] = {"--tool=slotwise", "-q", "--trace-children=yes"};
    const size_t length = strcspn(word, "=");

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        if (strcmp(word, ignored[i]) == 0)
            return 0;
    if (word[length] && strncmp(word, "--", 2) == 0 &&
        (take_plugin_option(word + 2, length - 2, job) ||
         take_own_option(word + 2, length - 2, job)))
        return 0;
    (void)fprintf(stderr, NAME "no such option: %s\n", word);
    return USAGE;
}

/* What the dynamic linker reads is for the client's, not for QEMU's. QEMU has the plugin preloaded:
 * see there. */
static int move_environment(struct words *w, const char *library)
{
    static const char *const names[] = {"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "LD_BIND_NOW"};
    const bool has_preload = getenv("LD_PRELOAD") != NULL;
    char text[PATH_MAX * 2];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);

        if (!value)
            continue;
        if (strchr(value, ',') || strlen(value) > PATH_MAX) {
            (void)fprintf(stderr, NAME "%s has a comma or is too long\n", names[i]);
            return UNAVAILABLE;
        }
        (void)snprintf(text, sizeof(text), "%s=%s", names[i], value);
        add(w, "-E");
        add(w, text);
        (void)unsetenv(names[i]);
    }
    if (!has_preload) {
        add(w, "-U");
        add(w, "LD_PRELOAD");
    }
    if (strpbrk(library, ": ")) {
        (void)fprintf(stderr, NAME "%s: has a colon or a space in it\n", library);
        return UNAVAILABLE;
    }
    return setenv("LD_PRELOAD", library, 1) == 0 ? 0 : INTERNAL;
}

static void add_fixed(struct words *w, bool is_repeatable)
{
    add(w, QEMU);
    add(w, "-cpu");
    add(w, "max");
    if (!is_repeatable)
        return;
    (void)personality(ADDR_NO_RANDOMIZE); /* refused: counts may differ a little */
    add(w, "-seed");
    add(w, "1");
}

static int run(struct words *w, const char *qemu, char **arguments, int count)
{
    char **all = calloc(w->count + (size_t)count + 1, sizeof(*all));

    if (!all)
        return INTERNAL;
    memcpy(all, w->words, w->count * sizeof(*all));
    memcpy(all + w->count, arguments, (size_t)count * sizeof(*all));
    (void)execvp(qemu, all);
    perror(NAME QEMU);
    return UNAVAILABLE;
}

static int start(char **command, int count, const char *library, const struct job *job)
{
    struct words w = {.count = 0};

    if (count == 0) {
        (void)fprintf(stderr, NAME "no command\n");
        return USAGE;
    }
    add_fixed(&w, job->is_repeatable);
    add(&w, "-plugin");
    add(&w, job->plugin);
    int status = move_environment(&w, library);

    if (status == 0)
        status = add_program(&w, command[0], job->name);
    return status != 0 ? status : run(&w, job->qemu ? job->qemu : QEMU, command + 1, count - 1);
}

/* The options are done; *ret_first is where the command begins. */
static int take_options(int argc, char **argv, struct job *job, int *ret_first)
{
    int i = 1, status = 0;

    for (; status == 0 && i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0; i++)
        status = take_option(argv[i], job);
    *ret_first = i + (i < argc && strcmp(argv[i], "--") == 0);
    return status;
}

static void add_option(struct job *job, const char *name, const char *value)
{
    const size_t used = strlen(job->plugin);

    (void)snprintf(job->plugin + used, sizeof(job->plugin) - used, "%s", name);
    add_escaped(job->plugin, sizeof(job->plugin), value);
}

int main(int argc, char **argv)
{
    char self[PATH_MAX] = "", path[PATH_MAX + 32], escaped[PATH_MAX * 2] = "", version[64] = "";
    static struct job job;
    const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    const bool is_check = argc == 2 && strcmp(argv[1], "--check") == 0;
    int first = 0, status = 0;

    if (argc == 2 && strcmp(argv[1], "--nothing") == 0)
        return 0; /* what check() runs */
    if (length <= 0) {
        perror(NAME "/proc/self/exe");
        return INTERNAL;
    }
    self[length] = '\0';
    const char *slash = strrchr(self, '/');

    (void)snprintf(path, sizeof(path), "%.*s/slotwise-qemu.so", slash ? (int)(slash - self) : 0,
                   self);
    add_escaped(escaped, sizeof(escaped), path);
    add_option(&job, "", path);
    if (!is_check)
        status = take_options(argc, argv, &job, &first);
    if (status == 0 && !job.version)
        status = check(self, escaped, version, sizeof(version));
    if (status != 0 || is_check)
        return status;
    add_option(&job, ",qemu=", job.version ? job.version : version);
    add_option(&job, ",launcher=", self);
    return start(argv + first, argc - first, path, &job);
}
