/* SPDX-License-Identifier: MIT */
/* Starts the Valgrind tool beside it, when the installed Valgrind is the release the tool was built
 * from: the tool uses that one's files. Valgrind starts it again for whatever the client executes.
 * A program of its own, so that Valgrind's start-up finds what it expects in its environment.
 *
 * usage: slotwise-simulate --tool=slotwise OPTIONS... COMMAND...
 *        slotwise-simulate --check
 * Exit status 69: no Valgrind, or another release; why on the first line of standard error, what
 * to do on the second. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNAVAILABLE = 69, INTERNAL = 70 };

static void run_valgrind(int out)
{
    (void)dup2(out, STDOUT_FILENO);
    (void)unsetenv("LD_PRELOAD"); /* what is preloaded is for the client */
    (void)execlp("valgrind", "valgrind", "--version", (char *)NULL);
    _exit(127);
}

/* What `valgrind --version` prints, without the name and the newline; "": it is not there. */
static int installed_version(char *text, size_t size)
{
    int pipe_ends[2];
    ssize_t length = 0;
    size_t used = 0;

    if (pipe(pipe_ends) != 0)
        return -1;
    const pid_t child = fork();

    if (child == 0)
        run_valgrind(pipe_ends[1]);
    (void)close(pipe_ends[1]);
    while (child > 0 && used + 1 < size) {
        length = read(pipe_ends[0], text + used, size - 1 - used);
        if (length == 0 || (length < 0 && errno != EINTR))
            break;
        used += length > 0 ? (size_t)length : 0;
    }
    (void)close(pipe_ends[0]);
    if (child < 0 || waitpid(child, NULL, 0) < 0)
        return -1;
    text[used] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return 0;
}

static int check_version(void)
{
    char text[128] = "";
    const char *const expected = "valgrind-" SLW_SIM_VALGRIND_VERSION;

    if (installed_version(text, sizeof(text)) != 0) {
        perror("slotwise-simulate: cannot ask valgrind for its version");
        return INTERNAL;
    }
    if (strcmp(text, expected) == 0)
        return 0;
    if (!*text)
        (void)fprintf(stderr,
                      "slotwise-simulate: valgrind is not installed\n"
                      "install valgrind %s\n",
                      SLW_SIM_VALGRIND_VERSION);
    else
        (void)fprintf(stderr,
                      "slotwise-simulate: this was built from %s, installed is %.64s\n"
                      "build slotwise again with the installed one\n",
                      expected, text);
    return UNAVAILABLE;
}

/* Addresses that differ from run to run are not the same run. Where it is refused (seccomp), counts
 * may differ a little. */
static void fix_layout(char *const *argv)
{
    for (; *argv && (*argv)[0] == '-' && strcmp(*argv, "--") != 0; argv++)
        if (strcmp(*argv, "--det=yes") == 0)
            (void)personality(ADDR_NO_RANDOMIZE);
}

int main(int argc, char **argv)
{
    char self[PATH_MAX] = "";
    char tool[PATH_MAX + 32];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (length <= 0) {
        perror("slotwise-simulate: /proc/self/exe");
        return INTERNAL;
    }
    self[length] = '\0';
    const int status = check_version();

    if (status != 0 || (argc == 2 && strcmp(argv[1], "--check") == 0))
        return status;
    const char *slash = strrchr(self, '/');

    (void)snprintf(tool, sizeof(tool), "%.*s/slotwise-amd64-linux", slash ? (int)(slash - self) : 0,
                   self);
    if (setenv("VALGRIND_LAUNCHER", self, 1) != 0)
        return INTERNAL;
    fix_layout(argv + 1);
    (void)execv(tool, argv);
    perror(tool);
    return UNAVAILABLE;
}
