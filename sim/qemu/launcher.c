/* SPDX-License-Identifier: MIT */
/* Starts QEMU's user mode with the plugin beside it. QEMU takes a path to an ELF file and nothing
 * else: what a shell and the kernel do (PATH, #!) is done here.
 *
 * usage: slotwise-simulate-qemu OPTIONS... [--] COMMAND...
 *        slotwise-simulate-qemu --check
 * Options are those of the Valgrind tool (docs/simulated.md). Exit status 69: no QEMU, one without
 * plugins, one too new for this plugin, or a program it cannot run. */
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

static ssize_t read_start(const char *path, unsigned char *bytes, size_t size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = fd >= 0 ? read(fd, bytes, size) : -1;

    if (fd >= 0)
        (void)close(fd);
    return length;
}

static bool is_x86_64(const unsigned char *bytes, ssize_t length)
{
    return length >= 20 && memcmp(bytes, "\177ELF\2\1", 6) == 0 && bytes[18] == 62 &&
           bytes[19] == 0;
}

/* What the kernel does with "#!INTERPRETER ARGUMENT", and env(1) with a name: what env would
 * execute would not be followed. */
static int add_script(struct words *w, const char *script, char *line)
{
    unsigned char start[64] = {0};
    char interpreter[PATH_MAX];

    line[strcspn(line, "\n")] = '\0';
    line += strspn(line, " \t");
    const size_t word = strcspn(line, " \t");
    const char *argument = line + word + strspn(line + word, " \t");
    const bool is_env = word >= 4 && memcmp(line + word - 4, "/env", 4) == 0;

    line[word] = '\0';
    find_program(is_env && *argument && *argument != '-' ? argument : line, interpreter,
                 sizeof(interpreter));
    if (!is_x86_64(start, read_start(interpreter, start, sizeof(start))))
        return unavailable("a script whose interpreter is no program for x86-64",
                           "name the interpreter itself in the command");
    add(w, interpreter);
    if (*argument && !is_env)
        add(w, argument);
    add(w, script);
    return 0;
}

/* The path of an ELF file, then what comes before the client's own arguments: a script is an
 * argument of its interpreter. */
static int add_program(struct words *w, const char *name)
{
    char path[PATH_MAX];
    unsigned char start[256] = {0};

    find_program(name, path, sizeof(path));
    const ssize_t length = read_start(path, start, sizeof(start) - 1);

    if (length < 0) {
        (void)fprintf(stderr, NAME "%s: %s\n", name, strerror(path[0] ? errno : ENOENT));
        return path[0] && errno == EACCES ? 126 : 127;
    }
    if (is_x86_64(start, length)) {
        add(w, "-0");
        add(w, name);
        add(w, path);
        return 0;
    }
    if (length < 2 || start[0] != '#' || start[1] != '!')
        return unavailable("not a program for x86-64", "use the carrier valgrind, or another host");
    return add_script(w, path, (char *)start + 2);
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

/* "--period=7" as "period=7"; what only the Valgrind tool knows is left out. */
static int take_option(const char *word, char *plugin, size_t size, bool *ret_repeatable)
{
    static const char *const known[] = {"core",   "core-name", "out", "period",
                                        "detail", "start",     "det"};
    static const char *const ignored[] = {"--tool=slotwise", "-q", "--trace-children=yes"};
    const size_t length = strcspn(word, "=");

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        if (strcmp(word, ignored[i]) == 0)
            return 0;
    for (size_t i = 0; word[length] && i < sizeof(known) / sizeof(known[0]); i++) {
        if (strncmp(word, "--", 2) != 0 || strlen(known[i]) != length - 2 ||
            memcmp(known[i], word + 2, length - 2) != 0)
            continue;
        (void)snprintf(plugin + strlen(plugin), size - strlen(plugin), ",%s=", known[i]);
        add_escaped(plugin, size, word + length + 1);
        *ret_repeatable |= strcmp(word, "--det=yes") == 0;
        return 0;
    }
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

static int run(struct words *w, char **arguments, int count)
{
    char **all = calloc(w->count + (size_t)count + 1, sizeof(*all));

    if (!all)
        return INTERNAL;
    memcpy(all, w->words, w->count * sizeof(*all));
    memcpy(all + w->count, arguments, (size_t)count * sizeof(*all));
    (void)execvp(QEMU, all);
    perror(NAME QEMU);
    return UNAVAILABLE;
}

static int start(int argc, char **argv, const char *library, char *plugin, size_t size)
{
    struct words w = {.count = 0};
    bool is_repeatable = false;
    int i = 1, status = 0;

    for (; status == 0 && i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0; i++)
        status = take_option(argv[i], plugin, size, &is_repeatable);
    i += i < argc && strcmp(argv[i], "--") == 0;
    if (status == 0 && i >= argc) {
        (void)fprintf(stderr, NAME "no command\n");
        status = USAGE;
    }
    if (status != 0)
        return status;
    add_fixed(&w, is_repeatable);
    add(&w, "-plugin");
    add(&w, plugin);
    status = move_environment(&w, library);
    if (status == 0)
        status = add_program(&w, argv[i]);
    return status != 0 ? status : run(&w, argv + i + 1, argc - i - 1);
}

int main(int argc, char **argv)
{
    char self[PATH_MAX] = "", path[PATH_MAX + 32], version[64] = "";
    static char plugin[MOST_OPTIONS];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

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
    add_escaped(plugin, sizeof(plugin), path);
    const int status = check(self, plugin, version, sizeof(version));

    if (status != 0 || (argc == 2 && strcmp(argv[1], "--check") == 0))
        return status;
    (void)strcat(plugin, ",qemu=");
    add_escaped(plugin, sizeof(plugin), version);
    return start(argc, argv, path, plugin, sizeof(plugin));
}
