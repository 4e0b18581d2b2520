/* SPDX-License-Identifier: MIT */
/* A Redis client for the socket tap, linked statically: what a preloaded library does not see. Says
 * PING so often as the test expects, and checks every answer.
 *
 * usage: socket_client CASE PORT */
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PING "*1\r\n$4\r\nPING\r\n"
#define PONG "+PONG\r\n"

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    _exit(1);
}

static int dial(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr any;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(&any, &to, sizeof(any));
    must(fd >= 0 && connect(fd, &any, sizeof(to)) == 0, "connect");
    return fd;
}

static void get(int fd, size_t count)
{
    char buffer[256];

    while (count > 0) {
        ssize_t n = read(fd, buffer, count < sizeof(buffer) ? count : sizeof(buffer));
        must(n > 0, "read");
        count -= (size_t)n;
    }
}

/* 1000 */
static void case_ping(int fd)
{
    for (int i = 0; i < 1000; i++) {
        must(write(fd, PING, strlen(PING)) == (ssize_t)strlen(PING), "write");
        get(fd, strlen(PONG));
    }
}

/* 30 in three calls */
static void case_messages(int fd)
{
    static char first[] = "*1\r\n$4\r\n", second[] = "PING\r\n";
    struct iovec parts[2] = {{first, strlen(first)}, {second, strlen(second)}};
    struct mmsghdr messages[10];

    memset(messages, 0, sizeof(messages));
    for (int i = 0; i < 10; i++) {
        messages[i].msg_hdr.msg_iov = parts;
        messages[i].msg_hdr.msg_iovlen = 2;
    }
    for (int i = 0; i < 3; i++) {
        must(sendmmsg(fd, messages, 10, 0) == 10, "sendmmsg");
        get(fd, 10 * strlen(PONG));
    }
}

/* 20 */
static void case_stdio(int fd)
{
    FILE *f = fdopen(fd, "r+");
    char line[64];

    must(f != NULL, "fdopen");
    for (int i = 0; i < 20; i++) {
        must(fputs(PING, f) >= 0 && fflush(f) == 0, "fputs");
        must(fgets(line, sizeof(line), f) && strcmp(line, PONG) == 0, "fgets");
    }
    (void)fclose(f);
}

/* 10 */
static void case_raw(int fd)
{
    for (int i = 0; i < 10; i++) {
        must(syscall(SYS_sendto, fd, PING, strlen(PING), 0, NULL, 0) > 0, "sendto");
        get(fd, strlen(PONG));
    }
}

/* 5000 of which no answer is read, and gone */
static void case_killed(int fd)
{
    for (int i = 0; i < 5000; i++)
        must(write(fd, PING, strlen(PING)) == (ssize_t)strlen(PING), "write");
    (void)raise(SIGKILL);
}

/* 8, through io_uring: nobody sees them, and that has to be told. */
static unsigned submit(int ring, struct io_uring_sqe *sqes, char *sq,
                       const struct io_uring_params *p, char *cq, const struct io_uring_sqe *what)
{
    unsigned *tail = (unsigned *)(void *)(sq + p->sq_off.tail);
    unsigned *array = (unsigned *)(void *)(sq + p->sq_off.array);
    unsigned *head = (unsigned *)(void *)(cq + p->cq_off.head);
    unsigned at = *tail & (p->sq_entries - 1);

    sqes[at] = *what;
    array[at] = at;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    must(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1,
         "io_uring_enter");
    struct io_uring_cqe *done =
        (struct io_uring_cqe *)(void *)(cq + p->cq_off.cqes) + (*head & (p->cq_entries - 1));
    __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
    must(done->res > 0, "an operation");
    return (unsigned)done->res;
}

static void case_ring(int fd)
{
    struct io_uring_params p;
    char answer[64];

    memset(&p, 0, sizeof(p));
    int ring = (int)syscall(SYS_io_uring_setup, 4, &p);
    if (ring < 0)
        _exit(77); /* not allowed here */
    char *sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE,
                    MAP_SHARED, ring, IORING_OFF_SQ_RING);
    char *cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
                    PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
    struct io_uring_sqe *sqes = mmap(NULL, p.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE,
                                     MAP_SHARED, ring, IORING_OFF_SQES);
    must(sq != MAP_FAILED && cq != MAP_FAILED && sqes != MAP_FAILED, "mmap of a ring");
    for (int i = 0; i < 8; i++) {
        const struct io_uring_sqe send = {.opcode = IORING_OP_SEND,
                                          .fd = fd,
                                          .addr = (uintptr_t)PING,
                                          .len = (uint32_t)strlen(PING)};
        const struct io_uring_sqe receive = {
            .opcode = IORING_OP_RECV, .fd = fd, .addr = (uintptr_t)answer, .len = sizeof(answer)};
        must(submit(ring, sqes, sq, &p, cq, &send) == strlen(PING), "a send");
        must(submit(ring, sqes, sq, &p, cq, &receive) == strlen(PONG), "an answer");
    }
    (void)close(ring);
}

static const struct {
    const char *name;
    void (*run)(int fd);
} cases[] = {
    {"ping", case_ping}, {"messages", case_messages}, {"stdio", case_stdio},
    {"raw", case_raw},   {"killed", case_killed},     {"ring", case_ring},
};

int main(int argc, char **argv)
{
    if (argc != 3)
        return 64;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (strcmp(cases[i].name, argv[1]) == 0) {
            cases[i].run(dial(argv[2]));
            return 0;
        }
    return 64;
}
