/* SPDX-License-Identifier: MIT */
/* A client that waits in a known way, and says how long: one line "KIND ELAPSED_NS TOTAL_NS", the
 * time around its waiting calls and around everything, by its own clock. Not a benchmark. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS  5
#define WAIT_MS 60
#define SPIN_MS 300
#define SYNCS   30

static uint64_t elapsed_ns;
static int rounds = ROUNDS; /* of what takes a number of them */

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void doze(void)
{
    struct timespec t = {.tv_nsec = WAIT_MS * 1000000L};

    while (nanosleep(&t, &t) < 0 && errno == EINTR) {
    }
}

static int sleep_often(void)
{
    for (int i = 0; i < ROUNDS; i++)
        doze();
    return 0;
}

/* ---- another thread keeps the lock ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void *keep_lock(void *unused)
{
    for (int i = 0; i < rounds; i++) {
        (void)pthread_mutex_lock(&lock);
        (void)pthread_barrier_wait(&both);
        doze();
        (void)pthread_mutex_unlock(&lock);
        (void)pthread_barrier_wait(&both);
    }
    return unused;
}

static int wait_for_lock(void)
{
    pthread_t thread;

    if (pthread_barrier_init(&both, NULL, 2) != 0 ||
        pthread_create(&thread, NULL, keep_lock, NULL) != 0)
        return 1;
    for (int i = 0; i < rounds; i++) {
        (void)pthread_barrier_wait(&both);
        (void)pthread_mutex_lock(&lock);
        (void)pthread_mutex_unlock(&lock);
        (void)pthread_barrier_wait(&both);
    }
    return pthread_join(thread, NULL);
}

/* ---- a server that takes its time ---- */

static void serve_slowly(int fd)
{
    char byte;

    while (read(fd, &byte, 1) == 1) {
        doze();
        if (write(fd, &byte, 1) != 1)
            break;
    }
    _exit(0);
}

/* how: r read, c recv, p poll and recv, e epoll */
static int wait_for_answer(int fd, char how)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = how == 'e' ? epoll_create1(0) : -1;
    char byte = 'x';

    if (how == 'e' && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return 1;
    for (int i = 0; i < ROUNDS; i++) {
        if (write(fd, &byte, 1) != 1)
            return 1;
        if (how == 'e' && epoll_wait(epoll, &event, 1, -1) != 1)
            return 1;
        if (how == 'p' && poll(&one, 1, -1) != 1)
            return 1;
        if ((how == 'r' ? read(fd, &byte, 1) : recv(fd, &byte, 1, 0)) != 1)
            return 1;
    }
    return 0;
}

static int with_server(char how)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return 1;
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        serve_slowly(ends[1]);
    }
    (void)close(ends[1]);
    uint64_t start_ns = now_ns(CLOCK_MONOTONIC);
    int rc = wait_for_answer(ends[0], how);
    elapsed_ns = now_ns(CLOCK_MONOTONIC) - start_ns;
    (void)close(ends[0]);
    return waitpid(pid, NULL, 0) == pid ? rc : 1;
}

static int read_pipe(void)
{
    int ends[2];
    char byte;

    if (pipe(ends) < 0)
        return 1;
    pid_t pid = fork();
    if (pid == 0) {
        (void)sleep_often();
        _exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
    }
    int rc = read(ends[0], &byte, 1) == 1 ? 0 : 1;
    return waitpid(pid, NULL, 0) == pid ? rc : 1;
}

static int wait_for_child(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)sleep_often();
        _exit(0);
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

static int sync_often(void)
{
    static char page[65536];
    int fd = open("synced", O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    uint64_t sum_ns = 0;

    for (int i = 0; i < SYNCS; i++) {
        if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page))
            return 1;
        uint64_t start_ns = now_ns(CLOCK_MONOTONIC);
        if (fsync(fd) < 0)
            return 1;
        sum_ns += now_ns(CLOCK_MONOTONIC) - start_ns;
    }
    elapsed_ns = sum_ns;
    return close(fd);
}

/* ---- two threads, one CPU ---- */

static void *spin(void *unused)
{
    (void)pthread_barrier_wait(&both);
    uint64_t start_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
    while (now_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns < SPIN_MS * UINT64_C(1000000)) {
    }
    return unused;
}

static int compete(void)
{
    cpu_set_t allowed, one;
    pthread_t thread;
    size_t cpu = 0;

    if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
        return 1;
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof(one), &one) < 0 || pthread_barrier_init(&both, NULL, 2) != 0 ||
        pthread_create(&thread, NULL, spin, NULL) != 0)
        return 1;
    (void)spin(NULL);
    return pthread_join(thread, NULL);
}

/* ---- switches, for the bench: tells CPU time, which other work on the machine disturbs less ----
 */

static uint64_t cpu_ns(int who)
{
    struct rusage u;

    (void)getrusage(who, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000 +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

static int ping_pong(void)
{
    int there[2], back[2];
    cpu_set_t one;
    char byte = 0;
    volatile char frame[32768]; /* so that who copies stacks has all to copy that there can be */

    for (size_t i = 0; i < sizeof(frame); i += 1024)
        frame[i] = 1;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    if (pipe(there) < 0 || pipe(back) < 0 || sched_setaffinity(0, sizeof(one), &one) < 0)
        return 1;
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < rounds; i++)
            if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1)
                _exit(1);
        _exit(0);
    }
    for (int i = 0; i < rounds; i++)
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
            return 1;
    if (waitpid(pid, NULL, 0) != pid)
        return 1;
    elapsed_ns = cpu_ns(RUSAGE_SELF) + cpu_ns(RUSAGE_CHILDREN);
    return 0;
}

static int run(const char *kind)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } kinds[] = {{"sleep", sleep_often},    {"lock", wait_for_lock}, {"pipe", read_pipe},
                 {"child", wait_for_child}, {"disk", sync_often},    {"compete", compete}};

    if (strcmp(kind, "pingpong") == 0)
        return ping_pong();
    if (strncmp(kind, "answer-", 7) == 0)
        return with_server(kind[7]);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kind, kinds[i].name) == 0)
            return kinds[i].run();
    return 2;
}

int main(int argc, char **argv)
{
    uint64_t start_ns = now_ns(CLOCK_MONOTONIC);

    if (argc < 2)
        return 2;
    if (argc > 2)
        rounds = atoi(argv[2]);
    int rc = run(argv[1]);
    uint64_t total_ns = now_ns(CLOCK_MONOTONIC) - start_ns;
    (void)printf("%s %llu %llu\n", argv[1],
                 (unsigned long long)(elapsed_ns ? elapsed_ns : total_ns),
                 (unsigned long long)total_ns);
    return rc;
}
