/* SPDX-License-Identifier: MIT */
/* A Redis client that does what clients do with descriptors, processes and signals. Says PING so
 * often as the test expects, checks every answer, and ends with 0 only when all was as without
 * slotwise.
 *
 * usage: wire_client CASE PORT */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PING "*1\r\n$4\r\nPING\r\n"
#define PONG "+PONG\r\n"
#define MANY 20000

static uint16_t port;

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    _exit(1);
}

static int dial(void)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr any;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(&any, &to, sizeof(any));
    must(fd >= 0 && connect(fd, &any, sizeof(to)) == 0, "connect");
    return fd;
}

static void get(int fd, size_t count)
{
    char buffer[sizeof(PONG)];

    while (count > 0) {
        ssize_t n = recv(fd, buffer, count < sizeof(buffer) ? count : sizeof(buffer), 0);
        must(n > 0, "recv");
        count -= (size_t)n;
    }
}

static void ping(int fd, int times)
{
    for (int i = 0; i < times; i++) {
        must(write(fd, PING, strlen(PING)) == (ssize_t)strlen(PING), "write");
        get(fd, strlen(PONG));
    }
}

static void end_of_child(pid_t pid)
{
    int status = -1;

    must(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, "child");
}

/* 25: 8 here, and 17 in the child on our connection and on its own */
static void case_fork(int fd)
{
    ping(fd, 3);
    pid_t pid = fork();
    if (pid == 0) {
        ping(fd, 10);
        ping(dial(), 7);
        _exit(0);
    }
    end_of_child(pid);
    ping(fd, 5);
}

/* 8: what the vfork child closes stays open here */
static void case_vfork(int fd)
{
    ping(fd, 3);
    /* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): that is what is tested */
    pid_t pid = vfork();
    if (pid == 0) {
        (void)close(fd);   /* NOLINT(clang-analyzer-unix.Vfork): just this */
        (void)dup2(1, fd); /* NOLINT(clang-analyzer-unix.Vfork) */
        (void)execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    end_of_child(pid);
    ping(fd, 5);
}

/* 8 */
static void case_spawn(int fd)
{
    static char name[] = "true";
    char *const argv[] = {name, NULL};
    pid_t pid = -1;

    ping(fd, 3);
    must(posix_spawnp(&pid, "true", NULL, NULL, argv, environ) == 0, "posix_spawnp");
    end_of_child(pid);
    must(system("true") == 0, "system"); /* NOLINT(cert-env33-c) */
    ping(fd, 5);
}

/* 9 */
static void case_dup(int fd)
{
    int second = dup(fd), third = fcntl(fd, F_DUPFD_CLOEXEC, 50);

    must(second >= 0 && third >= 50, "dup");
    ping(second, 3);
    must(close(fd) == 0, "close");
    ping(third, 2);
    must(dup2(second, fd) == fd && close(second) == 0 && close(third) == 0, "dup2");
    ping(fd, 4);
}

/* 1001 on 501 connections, all with one number */
static void case_reuse(int fd)
{
    for (int i = 0; i < 500; i++) {
        ping(fd, 2);
        must(close(fd) == 0, "close");
        must(dial() == fd, "the number is used again");
    }
    ping(fd, 1);
}

/* 5: a peek sees bytes that come again */
static void case_peek(int fd)
{
    char buffer[16];

    for (int i = 0; i < 5; i++) {
        must(send(fd, PING, strlen(PING), 0) > 0, "send");
        must(recv(fd, buffer, sizeof(buffer), MSG_PEEK) > 0, "peek");
        get(fd, strlen(PONG));
    }
}

/* 3 */
static void case_errno(int fd)
{
    char byte;

    errno = 77;
    ping(fd, 2);
    must(errno == 77, "errno is kept");
    must(recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, "nothing to read");
    must(write(-1, "x", 1) == -1 && errno == EBADF, "bad descriptor");
    must(close(999) == -1 && errno == EBADF, "bad descriptor");
    must(send(fd, NULL, 5, 0) == -1 && errno == EFAULT, "bad address");
    ping(fd, 1);
}

/* 6: gathered, scattered, as messages; the second request is cut in two */
static void case_vectors(int fd)
{
    static char first[] = PING "*1\r\n", second[] = "$4\r\nPING\r\n";
    struct iovec out[] = {{first, strlen(first)}, {second, 0}};
    char a[3], b[64];
    struct iovec in[] = {{a, sizeof(a)}, {b, sizeof(b)}};
    struct msghdr m = {.msg_iov = in, .msg_iovlen = 2};

    for (int i = 0; i < 3; i++) {
        must(writev(fd, out, 2) == (ssize_t)strlen(first), "writev");
        must(send(fd, second, strlen(second), 0) == (ssize_t)strlen(second), "send");
        for (size_t have = 0; have < 2 * strlen(PONG);) {
            ssize_t n = i == 0 ? readv(fd, in, 2) : recvmsg(fd, &m, 0);
            must(n > 0, "readv");
            have += (size_t)n;
        }
    }
}

static void *receive_many(void *fd)
{
    get(*(int *)fd, MANY * strlen(PONG));
    return NULL;
}

/* 20000: one thread sends, another receives */
static void case_threads(int fd)
{
    pthread_t receiver;

    must(pthread_create(&receiver, NULL, receive_many, &fd) == 0, "pthread_create");
    for (int i = 0; i < MANY; i++)
        must(send(fd, PING, strlen(PING), 0) == (ssize_t)strlen(PING), "send");
    must(pthread_join(receiver, NULL) == 0, "pthread_join");
}

static void *ping_alone(void *unused)
{
    int fd = dial();

    (void)unused;
    ping(fd, 10);
    must(close(fd) == 0, "close");
    return NULL;
}

/* 2000 on 200 connections of 200 threads */
static void case_crowd(int fd)
{
    pthread_t threads[200];

    (void)fd;
    for (size_t i = 0; i < 200; i++)
        must(pthread_create(&threads[i], NULL, ping_alone, NULL) == 0, "pthread_create");
    for (size_t i = 0; i < 200; i++)
        must(pthread_join(threads[i], NULL) == 0, "pthread_join");
}

static int signal_fd;

static void on_alarm(int number)
{
    int saved = errno;

    (void)number;
    ping(signal_fd, 1);
    errno = saved;
}

/* 100 and one for each of 20 signals, on a connection of the handler's */
static void case_signals(int fd)
{
    struct sigaction act = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

    signal_fd = dial();
    must(sigaction(SIGUSR1, &act, NULL) == 0, "sigaction");
    for (int i = 0; i < 20; i++) {
        ping(fd, 5);
        must(raise(SIGUSR1) == 0, "raise");
    }
}

/* 4: whoever closes all it does not know closes ours as well, and only those */
static void case_close_range(int fd)
{
    int second = dial();

    ping(second, 1);
    must(close_range((unsigned)second, ~0u, 0) == 0, "close_range");
    must(fcntl(second, F_GETFD) == -1, "it is closed");
    ping(fd, 1);
    must(dial() == second, "the number is used again");
    ping(second, 2);
}

/* 3: the number of descriptors is what it is without slotwise */
static void case_descriptors(int fd)
{
    int lowest = dup(0);

    must(fd == 3 && lowest == 4, "no descriptor is ours");
    ping(fd, 3);
}

/* 15: connected, written and closed by the number of the system call */
static void case_syscall(int fd)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct iovec iov = {(char[]){PING}, strlen(PING)};
    int second = socket(AF_INET, SOCK_STREAM, 0);

    must(syscall(SYS_connect, second, &to, sizeof(to)) == 0, "connect");
    for (int i = 0; i < 4; i++) {
        must(syscall(SYS_sendto, second, PING, strlen(PING), 0, NULL, 0) > 0, "sendto");
        get(second, strlen(PONG));
        must(syscall(SYS_writev, second, &iov, 1) > 0, "writev");
        get(second, strlen(PONG));
    }
    int third = (int)syscall(SYS_fcntl, second, F_DUPFD_CLOEXEC, 30);
    must(third >= 30 && syscall(SYS_close, second) == 0 && dial() == second, "close");
    ping(third, 2);
    ping(second, 2);
    must(syscall(SYS_close, 999) == -1 && errno == EBADF, "bad descriptor");
    must(syscall(SYS_gettid) > 0, "a call without arguments");
    ping(fd, 3);
}

/* 11, of which 10 go through stdio */
static void case_stdio(int fd)
{
    FILE *f = fdopen(dial(), "r+");
    char line[16];

    must(f != NULL, "fdopen");
    for (int i = 0; i < 10; i++)
        must(fputs(PING, f) >= 0 && fflush(f) == 0 && fgets(line, sizeof(line), f), "stdio");
    ping(fd, 1);
    must(fclose(f) == 0, "fclose");
}

/* 6, of which 5 are seen by nobody in user space */
static void case_unseen(int fd)
{
    int second = dial();

    ping(fd, 1);
    for (int i = 0; i < 5; i++) {
        long result = SYS_write;
#if defined(__x86_64__)
        __asm__ volatile("syscall"
                         : "+a"(result)
                         : "D"((long)second), "S"(PING), "d"(strlen(PING))
                         : "rcx", "r11", "memory");
#else
        result = syscall(SYS_write, second, PING, strlen(PING));
#endif
        must(result == (long)strlen(PING), "write");
        get(second, strlen(PONG));
    }
}

/* 7, in a sandbox that begins after the library was loaded */
static void case_seccomp(int fd)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
             prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0,
         "seccomp");
    ping(fd, 3);
    ping(dial(), 4);
}

/* 6: all descriptors are closed, also those nobody opened */
static void case_close_all(int fd)
{
    ping(fd, 2);
    for (int i = 3; i < 1024; i++)
        (void)close(i);
    (void)close_range(3, ~0u, 0);
    closefrom(3);
    ping(dial(), 4);
}

static volatile sig_atomic_t alarms;

static void on_timer(int number)
{
    if (alarms < 200) {
        on_alarm(number);
        alarms = alarms + 1;
    }
}

/* 2200: the handler's connection is used whatever was interrupted */
static void case_interrupts(int fd)
{
    struct sigaction act = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
    struct itimerval often = {.it_interval = {.tv_usec = 200}, .it_value = {.tv_usec = 200}};

    signal_fd = dial();
    must(sigaction(SIGALRM, &act, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0, "timer");
    for (int i = 0; i < 2000; i++)
        ping(fd, 1);
    while (alarms < 200)
        (void)pause();
}

/* 100 and then it is gone */
static void case_kill(int fd)
{
    ping(fd, 100);
    (void)raise(SIGKILL);
}

static const struct {
    const char *name;
    void (*run)(int fd);
} cases[] = {
    {"fork", case_fork},           {"vfork", case_vfork},
    {"spawn", case_spawn},         {"dup", case_dup},
    {"reuse", case_reuse},         {"peek", case_peek},
    {"errno", case_errno},         {"vectors", case_vectors},
    {"threads", case_threads},     {"crowd", case_crowd},
    {"signals", case_signals},     {"close_range", case_close_range},
    {"kill", case_kill},           {"descriptors", case_descriptors},
    {"syscall", case_syscall},     {"stdio", case_stdio},
    {"unseen", case_unseen},       {"seccomp", case_seccomp},
    {"close_all", case_close_all}, {"interrupts", case_interrupts},
};

int main(int argc, char **argv)
{
    if (argc != 3)
        return 64;
    port = (uint16_t)strtoul(argv[2], NULL, 10);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (strcmp(cases[i].name, argv[1]) == 0) {
            cases[i].run(dial());
            return 0;
        }
    return 64;
}
