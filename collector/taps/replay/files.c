/* SPDX-License-Identifier: MIT */
/* Which descriptors are connections, and their tapes. */
#include "collector/taps/replay/replay_int.h"

#include "collector/taps/wire/preload/simulated.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 100000, HIGH_FILE = 900 };

struct slw_replay_reals slw_replay_real;

static struct slw_replay_file files[SLW_REPLAY_MAX_FILES];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX - 64], state[PATH_MAX - 64];
static bool records, plays;

void slw_replay_lock(void)
{
    (void)pthread_mutex_lock(&mutex);
}

void slw_replay_unlock(void)
{
    (void)pthread_mutex_unlock(&mutex);
}

static void unlock_child(void)
{
    (void)pthread_mutex_init(&mutex, NULL);
}

static bool copy_text(char *to, size_t size, const char *from, size_t length)
{
    if (length == 0 || length >= size)
        return false;
    memcpy(to, from, length);
    to[length] = '\0';
    return true;
}

/* "record:STATE:FOLDER" or "replay:STATE:FOLDER"; no state has a colon in it. */
static void take_settings(const char *text)
{
    const bool to_play = text && strncmp(text, "replay:", 7) == 0;
    const bool to_record = text && strncmp(text, "record:", 7) == 0;
    const char *colon = to_play || to_record ? strchr(text + 7, ':') : NULL;

    if (!colon || !copy_text(state, sizeof(state), text + 7, (size_t)(colon - text - 7)) ||
        !copy_text(folder, sizeof(folder), colon + 1, strlen(colon + 1)))
        return;
    plays = to_play;
    records = to_record;
}

static void find(const char *name, void *slot)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    slw_simulated_stands_for(symbol);
    memcpy(slot, &symbol, sizeof(symbol));
}

void slw_replay_load(void)
{
#define X(result, name, arguments) find(#name, &slw_replay_real.name);
    SLW_REPLAY_REALS(X)
#undef X
    take_settings(getenv("SLOTWISE_REPLAY"));
    (void)pthread_atfork(slw_replay_lock, slw_replay_unlock, unlock_child);
}

struct slw_replay_file *slw_replay_file(int fd)
{
    if ((!records && !plays) || fd < 0 || fd >= SLW_REPLAY_MAX_FILES)
        return NULL;
    return files[fd].is_recorded || files[fd].is_played ? &files[fd] : NULL;
}

/* ---- names ---- */

static void name_unix(const struct sockaddr_un *address, socklen_t length, char *to, size_t size)
{
    const size_t begin = offsetof(struct sockaddr_un, sun_path);
    const size_t count = length > begin ? length - begin : 0;
    int used = snprintf(to, size, "unix:");

    for (size_t i = 0; i < count && i < sizeof(address->sun_path); i++) {
        const unsigned char c = (unsigned char)address->sun_path[i];

        if (c == 0 && i > 0)
            break; /* a path ends there; an abstract name begins so */
        if (c > ' ' && c < 0x7f && c != '%')
            used += snprintf(to + used, size - (size_t)used, "%c", c);
        else
            used += snprintf(to + used, size - (size_t)used, "%%%02x", c);
    }
}

/* False: not a kind of connection that is recorded. */
static bool name_peer(int fd, const struct sockaddr *peer, socklen_t length, char *to, size_t size)
{
    char text[INET6_ADDRSTRLEN] = "";
    int type = 0;
    socklen_t type_length = sizeof(type);

    if (!peer || slw_replay_real.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) != 0 ||
        type != SOCK_STREAM)
        return false;
    if (peer->sa_family == AF_UNIX) {
        name_unix((const struct sockaddr_un *)(const void *)peer, length, to, size);
        return true;
    }
    if (peer->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)peer;

        (void)inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
        (void)snprintf(to, size, "tcp:%s:%u", text, ntohs(in->sin_port));
        return true;
    }
    if (peer->sa_family != AF_INET6 || length < sizeof(struct sockaddr_in6))
        return false;
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)peer;

    (void)inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof(text));
    (void)snprintf(to, size, "tcp:[%s]:%u", text, ntohs(in->sin6_port));
    return true;
}

/* A file in a folder that nobody has made before, by number; -1: none. */
static int make_numbered(const char *in, const char *name, unsigned from, unsigned to)
{
    char path[PATH_MAX];

    for (unsigned i = from; i < to; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s.%u", in, name, i);
        const int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);

        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

/* ---- losing ---- */

void slw_replay_lose(struct slw_replay_file *f, const char *why)
{
    char text[SLW_TAPE_MAX_PEER + 256];
    int length;

    if (f && f->is_lost)
        return;
    if (f)
        f->is_lost = true;
    const int fd = make_numbered(state, "lost", 0, 64);

    if (fd < 0)
        return;
    length = snprintf(text, sizeof(text), "%s%s%s\n", why, f ? ", on the connection to " : "",
                      f ? f->tape.peer : "");
    (void)slw_replay_real.write(fd, text, (size_t)length);
    (void)slw_replay_real.close(fd);
}

/* ---- recording ---- */

void slw_replay_record(struct slw_replay_file *f, enum slw_tape_kind kind, const void *bytes,
                       size_t count)
{
    uint8_t head[SLW_TAPE_ENTRY];
    struct iovec both[2] = {{head, sizeof(head)}, {0}};

    if (count > SLW_TAPE_MAX_BYTES)
        return;
    (void)slw_tape_entry_head(head, kind, (uint32_t)count);
    memcpy(&both[1].iov_base, &bytes, sizeof(bytes));
    both[1].iov_len = count;
    (void)slw_replay_real.writev(f->out, both, 2);
}

static void begin_recording(struct slw_replay_file *f, const char *peer)
{
    char head[SLW_TAPE_MAX_PEER + 64];
    const size_t length = slw_tape_head(head, sizeof(head), peer);
    const int fd = make_numbered(folder, "conn", 0, MAX_CONNECTIONS);

    if (fd < 0)
        return;
    f->out = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FILE); /* out of the way of the client's numbers */
    if (f->out < 0)
        f->out = fd;
    else
        (void)slw_replay_real.close(fd);
    f->is_recorded = slw_replay_real.write(f->out, head, length) == (ssize_t)length;
}

/* ---- playing ---- */

static bool map_tape(unsigned number, struct slw_tape *ret_tape, size_t *ret_mapped)
{
    char path[PATH_MAX];
    struct stat info;

    (void)snprintf(path, sizeof(path), "%s/conn.%u", folder, number);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    void *bytes = fstat(fd, &info) == 0 && info.st_size > 0
                      ? mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0)
                      : MAP_FAILED;

    (void)slw_replay_real.close(fd);
    *ret_tape = (struct slw_tape){0};
    if (bytes == MAP_FAILED)
        return true;
    *ret_mapped = (size_t)info.st_size;
    if (slw_tape_open(ret_tape, bytes, (size_t)info.st_size) == NULL)
        return true;
    (void)munmap(bytes, (size_t)info.st_size);
    *ret_tape = (struct slw_tape){0};
    return true;
}

/* The first that was recorded of this peer and is not taken, by any process. */
static bool take_tape(const char *peer, struct slw_replay_file *f)
{
    for (unsigned i = 0; i < MAX_CONNECTIONS && map_tape(i, &f->tape, &f->mapped); i++) {
        if (f->tape.bytes && strcmp(f->tape.peer, peer) == 0) {
            const int fd = make_numbered(state, "taken", i, i + 1);

            if (fd >= 0) {
                (void)slw_replay_real.close(fd);
                return true;
            }
        }
        if (f->tape.bytes)
            (void)munmap((void *)(uintptr_t)f->tape.bytes, f->mapped);
    }
    return false;
}

static int begin_playing(struct slw_replay_file *f, const char *peer)
{
    if (!take_tape(peer, f)) {
        (void)snprintf(f->tape.peer, sizeof(f->tape.peer), "%s", peer);
        slw_replay_lose(f, "the client connects once more than was recorded");
        *f = (struct slw_replay_file){0};
        return ECONNREFUSED;
    }
    f->is_played = true;
    f->epoll = -1;
    slw_player_begin(&f->player, &f->tape);
    slw_simulated_connects();
    return slw_tape_failure(&f->tape);
}

/* 0, or an errno: the client's own call, made or not. */
int slw_replay_connect(int fd, const struct sockaddr *peer, socklen_t length)
{
    char name[SLW_TAPE_MAX_PEER];
    int error = 0;

    if ((!records && !plays) || fd < 0 || fd >= SLW_REPLAY_MAX_FILES ||
        !name_peer(fd, peer, length, name, sizeof(name)))
        return slw_replay_real.connect(fd, peer, length) == 0 ? 0 : errno;
    struct slw_replay_file *f = &files[fd];

    if (f->is_recorded || f->is_played) /* again, to ask whether it is done */
        return plays ? 0 : slw_replay_real.connect(fd, peer, length) == 0 ? 0 : errno;
    *f = (struct slw_replay_file){.peer_length = length};
    memcpy(&f->peer, peer, length < sizeof(f->peer) ? length : sizeof(f->peer));
    if (plays) {
        error = begin_playing(f, name);
        if (error)
            slw_replay_close(fd);
        return error;
    }
    error = slw_replay_real.connect(fd, peer, length) == 0 ? 0 : errno;
    begin_recording(f, name);
    if (f->is_recorded && error && error != EINPROGRESS && error != EINTR && error != EAGAIN) {
        const uint8_t reason = (uint8_t)error;

        slw_replay_record(f, SLW_TAPE_FAILED, &reason, 1);
        slw_replay_close(fd);
    }
    return error;
}

void slw_replay_close(int fd)
{
    struct slw_replay_file *f = slw_replay_file(fd);

    if (f && f->is_recorded)
        (void)slw_replay_real.close(f->out);
    else if (f && f->tape.bytes)
        (void)munmap((void *)(uintptr_t)f->tape.bytes, f->mapped);
    if (f)
        *f = (struct slw_replay_file){0};
}
