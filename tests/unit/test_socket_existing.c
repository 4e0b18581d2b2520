/* SPDX-License-Identifier: MIT */
/* Which sockets of a process are connections to a server: of our own, which may be looked at. */
#include "cmocka_int.h"

#include "collector/taps/socket/existing.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

struct found {
    size_t count;
    uint64_t inode;
    struct sockaddr_storage to;
};

static void note(void *ctx, uint64_t inode, const struct sockaddr *to, socklen_t length)
{
    struct found *f = ctx;

    f->count++;
    f->inode = inode;
    memcpy(&f->to, to, length);
}

static uint64_t inode_of(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return st.st_ino;
}

static struct found look(void)
{
    struct found f = {0};
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    int copy = self < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, self, 0, 0);

    if (copy < 0) {
        (void)printf("skipped: no pidfd_getfd: %s\n", strerror(errno));
        skip();
    }
    (void)close(copy);
    (void)close(self);
    assert_int_equal(slw_existing_sockets((uint32_t)getpid(), note, &f), 0);
    return f;
}

static int listener(int family, const struct sockaddr_storage *at, socklen_t length)
{
    int fd = socket(family, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)at, length), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

/* A client, and the other end of it, which is none. */
static void check_pair(int family, struct sockaddr_storage *at, socklen_t length)
{
    int listening = listener(family, at, length), client = socket(family, SOCK_STREAM, 0);

    assert_int_equal(getsockname(listening, (struct sockaddr *)at, &length), 0);
    assert_int_equal(look().count, 0);
    assert_int_equal(connect(client, (struct sockaddr *)at, length), 0);
    int accepted = accept(listening, NULL, NULL);
    assert_true(accepted >= 0);
    struct found f = look();
    assert_int_equal(f.count, 1);
    assert_true(f.inode == inode_of(client));
    assert_memory_equal(&f.to, at, length);
    (void)close(accepted);
    (void)close(client);
    (void)close(listening);
}

static void only_the_end_that_connected_is_a_client(void **state)
{
    struct sockaddr_storage at = {0};
    const struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

    (void)state;
    memcpy(&at, &in, sizeof(in));
    check_pair(AF_INET, &at, sizeof(in));
}

static void unix_sockets_too(void **state)
{
    struct sockaddr_storage at = {0};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int n = snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "slotwise-test-%d", (int)getpid());

    (void)state;
    memcpy(&at, &un, sizeof(un));
    check_pair(AF_UNIX, &at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n));
}

static void other_sockets_are_none(void **state)
{
    int pair[2], datagram = socket(AF_INET, SOCK_DGRAM, 0);

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(look().count, 0);
    (void)close(pair[0]);
    (void)close(pair[1]);
    (void)close(datagram);
}

static void a_process_that_is_gone_has_none(void **state)
{
    struct found f = {0};

    (void)state;
    assert_int_equal(slw_existing_sockets(UINT32_MAX, note, &f), 0);
    assert_int_equal(f.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_end_that_connected_is_a_client),
        cmocka_unit_test(unix_sockets_too),
        cmocka_unit_test(other_sockets_are_none),
        cmocka_unit_test(a_process_that_is_gone_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
