/* SPDX-License-Identifier: MIT */
/* A client of Redis whose cost, latency and batching are known beforehand, for the tests that
 * compare two versions of it; and a server whose answers take a known time. Work is loop turns, not
 * time, so that "5 % more" is 5 % more on any machine. usage: truth_client PORT [requests=N]
 * [batch=B] [work=TURNS] [extra=PERCENT] [says=B] [modes=PERCENT] [drift=FILE] truth_client serve
 * SLOW_IN_THOUSAND FAST_US SLOW_US     prints its port, serves until killed says: what the client
 * prints as its batch, whatever it does. modes: every other execution, by a random bit, works so
 * much more. drift: each execution works 1 % more than the one before; FILE holds how many there
 * were. */
#include "tests/system/noinline.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define COMMAND     "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n"
#define COMMAND_LEN (sizeof(COMMAND) - 1)
#define ANSWER      "+OK\r\n"
#define ANSWER_LEN  (sizeof(ANSWER) - 1)
#define MAX_BATCH   256

uint64_t slw_truth_sink;
void slw_truth_base(uint64_t turns);
void slw_truth_added(uint64_t turns);

NOINLINE void slw_truth_base(uint64_t turns)
{
    for (uint64_t i = 0; i < turns; i++)
        slw_truth_sink = slw_truth_sink * 6364136223846793005U + i;
}

/* What the other version does more, in a function of its own. */
NOINLINE void slw_truth_added(uint64_t turns)
{
    for (uint64_t i = 0; i < turns; i++)
        slw_truth_sink = slw_truth_sink * 6364136223846793005U + i;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "truth_client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);

        if (done <= 0)
            die("write");
        bytes += done;
        n -= (size_t)done;
    }
}

static void read_all(int fd, size_t n)
{
    char bytes[4096];

    while (n > 0) {
        ssize_t done = read(fd, bytes, n < sizeof(bytes) ? n : sizeof(bytes));

        if (done <= 0)
            die("read");
        n -= (size_t)done;
    }
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

struct truth {
    uint64_t requests, batch, work, extra, says, modes;
    const char *drift;
};

static void set(struct truth *t, const char *word)
{
    const struct {
        const char *name;
        uint64_t *value;
    } all[] = {{"requests=", &t->requests}, {"batch=", &t->batch}, {"work=", &t->work},
               {"extra=", &t->extra},       {"says=", &t->says},   {"modes=", &t->modes}};

    if (strncmp(word, "drift=", 6) == 0) {
        t->drift = word + 6;
        return;
    }
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (strncmp(word, all[i].name, strlen(all[i].name)) == 0) {
            *all[i].value = strtoull(word + strlen(all[i].name), NULL, 10);
            return;
        }
    (void)fprintf(stderr, "truth_client: what is '%s'?\n", word);
    exit(64);
}

/* Executions before this one, which is added. */
static uint64_t executions(const char *path)
{
    uint64_t count = 0;
    FILE *f = fopen(path, "a+");

    if (!f)
        die(path);
    (void)fseek(f, 0, SEEK_END);
    count = (uint64_t)ftell(f);
    (void)fputc('.', f);
    (void)fclose(f);
    return count;
}

/* Turns of a request that are the same in both versions. */
static uint64_t base_turns(const struct truth *t)
{
    uint64_t turns = t->work;
    unsigned char coin = 0;

    if (t->drift)
        turns += turns * executions(t->drift) / 100;
    if (t->modes && getrandom(&coin, 1, 0) == 1 && coin % 2)
        turns += turns * t->modes / 100;
    return turns;
}

static void run(const struct truth *t, int fd)
{
    char commands[MAX_BATCH * COMMAND_LEN];
    const uint64_t turns = base_turns(t), added = t->work * t->extra / 100;

    for (size_t i = 0; i < MAX_BATCH; i++)
        memcpy(commands + i * COMMAND_LEN, COMMAND, COMMAND_LEN);
    for (uint64_t sent = 0; sent < t->requests; sent += t->batch) {
        for (uint64_t i = 0; i < t->batch; i++) {
            slw_truth_base(turns);
            slw_truth_added(added);
        }
        write_all(fd, commands, t->batch * COMMAND_LEN);
        read_all(fd, t->batch * ANSWER_LEN);
    }
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in to = loopback(port);
    const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        die("connect");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void pause_us(uint64_t us)
{
    struct timespec t = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};

    (void)nanosleep(&t, NULL);
}

/* One client after the other; slow answers stand at even distances, so that each execution has the
 * same number of them. */
static void serve(uint64_t slow_in_thousand, uint64_t fast_us, uint64_t slow_us)
{
    struct sockaddr_in at = loopback(0);
    socklen_t length = sizeof(at);
    const int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    if (listener < 0 || bind(listener, (struct sockaddr *)&at, length) < 0 ||
        listen(listener, 16) < 0 || getsockname(listener, (struct sockaddr *)&at, &length) < 0)
        die("listen");
    (void)printf("%u\n", ntohs(at.sin_port));
    (void)fflush(stdout);
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; (void)close(fd)) {
        char bytes[COMMAND_LEN * MAX_BATCH];
        uint64_t received = 0, answered = 0;
        ssize_t n;

        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        while ((n = read(fd, bytes, sizeof(bytes))) > 0)
            for (received += (uint64_t)n; (answered + 1) * COMMAND_LEN <= received; answered++) {
                const bool slow =
                    (answered + 1) * slow_in_thousand / 1000 != answered * slow_in_thousand / 1000;

                pause_us(slow ? slow_us : fast_us);
                if (write(fd, ANSWER, ANSWER_LEN) < 0)
                    break;
            }
    }
}

int main(int argc, char **argv)
{
    struct truth t = {.requests = 2000, .batch = 1, .work = 20000};

    if (argc == 5 && strcmp(argv[1], "serve") == 0) {
        serve(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10),
              strtoull(argv[4], NULL, 10));
        return 1;
    }
    if (argc < 2)
        return 64;
    for (int i = 2; i < argc; i++)
        set(&t, argv[i]);
    if (t.batch < 1 || t.batch > MAX_BATCH)
        return 64;
    run(&t, connect_to((uint16_t)strtoul(argv[1], NULL, 10)));
    (void)printf("requests %llu batch %llu\n", (unsigned long long)t.requests,
                 (unsigned long long)(t.says ? t.says : t.batch));
    return 0;
}
