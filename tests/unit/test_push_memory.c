/* SPDX-License-Identifier: MIT */
/* Every allocation of pushing may fail: it is an error then, or what could not be done is told, and
 * nothing that waits on the disk is lost. The linker puts the functions below in front of the
 * library's; those of libcurl are in tests/fault. */
#include "push/push.h"
#include "tests/unit/cmocka_int.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 2000 /* allocations of one thing that is tried */

static _Thread_local bool armed;
static size_t allocations, fail_at;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

static bool fails(void)
{
    return armed && ++allocations == fail_at;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
    return fails() ? NULL : __real_strndup(text, size);
}

/* From here on the n-th allocation of this thread fails. */
static void arm(size_t n)
{
    assert_true(n < MOST);
    allocations = 0;
    fail_at = n;
    armed = true;
}

/* Did one fail? */
static bool disarm(void)
{
    armed = false;
    return allocations >= fail_at;
}

/* ---- what needs no server ---- */

static void a_url_and_its_headers_are_taken_or_an_error(void **state)
{
    bool failed = true;

    (void)state;
    for (size_t n = 1; failed; n++) {
        struct slw_push_endpoint e = {0};
        struct slw_error err = {0};

        arm(n);
        int rc =
            slw_push_endpoint_init("http://us%40er:pass@host/x", SLW_PUSH_PROFILE, NULL, &e, &err);
        if (rc >= 0)
            rc = slw_push_endpoint_add_headers(&e, "a: 1\nb: 2\n", "f", &err);
        failed = disarm();
        assert_int_equal(rc, failed ? -SLW_E_NOMEM : 0);
        assert_int_equal(err.code, -rc);
        slw_push_endpoint_release(&e);
    }
}

static struct slw_push_item item(const char *data, size_t length)
{
    static const struct slw_push_label labels[] = {{"env", "prod"}, {"region", "eu"}};

    return (struct slw_push_item){.service = "service",
                                  .instance = "instance",
                                  .labels = labels,
                                  .label_count = 2,
                                  .data = data,
                                  .length = length};
}

static void a_request_is_whole_or_an_error(void **state)
{
    static const char data[3000] = "body";

    (void)state;
    for (size_t i = 0; i < slw_push_kind_count; i++) {
        const struct slw_push_item it = item(data, sizeof(data));
        bool failed = true;

        for (size_t n = 1; failed; n++) {
            struct slw_push_request r = {0};

            arm(n);
            const int rc = slw_push_kinds[i]->request(&it, &r, NULL);
            failed = disarm();
            assert_true(rc == 0 || rc == -SLW_E_NOMEM);
            assert_int_equal(rc < 0 || slw_buf_failed(&r.body) || slw_buf_failed(&r.suffix),
                             failed);
            slw_push_request_release(&r);
        }
    }
}

static struct slw_push_entry entry(const char *url)
{
    return (struct slw_push_entry){.kind = slw_push_kind_find("ingest"),
                                   .url = url,
                                   .suffix = "?name=x",
                                   .body = "earlier",
                                   .length = 7};
}

/* What cannot be read for want of memory is not called broken: that would be deleted. */
static void an_entry_is_read_or_there_is_no_memory(void **state)
{
    const struct slw_push_entry e = entry("http://host/ingest");
    struct slw_buf out = {0};
    bool failed = true;

    (void)state;
    assert_int_equal(slw_push_entry_write(&e, &out, NULL), 0);
    for (size_t n = 1; failed; n++) {
        struct slw_push_entry back = {0};

        arm(n);
        const int rc = slw_push_entry_read(out.data, out.length, &back, NULL);
        failed = disarm();
        assert_true(rc == 0 || (failed && rc == -SLW_E_NOMEM));
        if (rc == 0)
            assert_string_equal(back.url, e.url);
        slw_push_entry_release(&back);
    }
    slw_buf_release(&out);
}

/* ---- a server that takes everything ---- */

struct server {
    int fd;
    pthread_t thread;
    char url[64];
    atomic_uint earlier, now; /* requests with the one body and the other */
};

static size_t body_length(const char *head)
{
    const char *found = strstr(head, "Content-Length: ");

    return found ? (size_t)atoi(found + strlen("Content-Length: ")) : 0;
}

static void answer(struct server *s, int fd)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    char text[8192];
    size_t length = 0, need = sizeof(text) - 1;

    while (length < need) {
        const ssize_t n = read(fd, text + length, sizeof(text) - 1 - length);
        if (n <= 0)
            return;
        length += (size_t)n;
        text[length] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        if (end)
            need = (size_t)(end + 4 - text) + body_length(text);
    }
    if (strcmp(text + length - 7, "earlier") == 0)
        s->earlier++;
    if (strcmp(text + length - 7, "the new") == 0)
        s->now++;
    if (write(fd, ok, sizeof(ok) - 1) < 0)
        return; /* the client tells */
}

static void *serve(void *ctx)
{
    struct server *s = ctx;
    int fd;

    while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
        answer(s, fd);
        (void)close(fd);
    }
    return NULL;
}

static void start(struct server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);

    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(s->fd, 16), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &size), 0);
    (void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d/ingest", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
    (void)shutdown(s->fd, SHUT_RDWR);
    (void)pthread_join(s->thread, NULL);
    (void)close(s->fd);
}

/* How many of those that wait have this body? */
static size_t waiting(const struct slw_push_spool *spool, const char *body)
{
    struct slw_push_files files;
    size_t found = 0;

    assert_int_equal(slw_spool_list(spool, &files, NULL), 0);
    for (size_t i = 0; i < files.count; i++) {
        struct slw_push_slot slot;
        struct slw_push_entry e;
        char *bytes;

        assert_int_equal(slw_spool_take(spool, files.files[i].name, &slot, &bytes, &e, NULL), 0);
        found += e.length == strlen(body) && memcmp(e.body, body, e.length) == 0;
        slw_push_entry_release(&e);
        free(bytes);
        slw_spool_leave(&slot);
    }
    free(files.files);
    return found;
}

static void keep_one(const struct slw_push_spool *spool, const char *url)
{
    const struct slw_push_entry e = entry(url);
    struct slw_push_slot slot;
    size_t dropped;

    assert_int_equal(slw_spool_store(spool, &e, &slot, &dropped, NULL), 0);
    slw_spool_leave(&slot);
}

static void empty(const struct slw_push_spool *spool)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf %s", spool->folder);
    assert_int_equal(system(command), 0);
}

/* One kept request and a new one: where is each of them afterwards? */
static void check(const struct server *s, const struct slw_push_spool *spool, int rc,
                  const struct slw_push_result *r)
{
    assert_true(rc == 0 || rc == -SLW_E_NOMEM);
    assert_int_equal(s->earlier + waiting(spool, "earlier"), 1); /* sent, or still there */
    if (rc < 0)
        return;
    assert_int_equal(r->fate, SLW_PUSH_SENT); /* sending does not need that it could be kept */
    assert_int_equal(s->now, 1);
    assert_int_equal(waiting(spool, "the new"), 0);
    assert_int_equal(r->sent, s->earlier);
}

static void what_waits_is_sent_or_goes_on_waiting(void **state)
{
    char folder[] = "/tmp/slotwise-push-XXXXXX";
    struct server s = {0};
    struct slw_push_endpoint e;
    bool failed = true;

    (void)state;
    assert_non_null(mkdtemp(folder));
    const struct slw_push_spool spool = {.folder = folder, .limit_bytes = 10000};
    start(&s);
    assert_int_equal(slw_push_endpoint_init(s.url, SLW_PUSH_PROFILE, NULL, &e, NULL), 0);
    const struct slw_push_options o = {.endpoint = &e,
                                       .spool = &spool,
                                       .patience = {.tries = 1},
                                       .timeout_ms = 20000,
                                       .backlog_limit_ms = 20000};
    const struct slw_push_item it = item("the new", 7);
    for (size_t n = 1; failed; n++) {
        struct slw_push_result r = {0};

        keep_one(&spool, s.url);
        s.earlier = s.now = 0;
        arm(n);
        const int rc = slw_push(&o, &it, &r, NULL);
        failed = disarm();
        check(&s, &spool, rc, &r);
        if (!failed)
            assert_true(rc == 0 && s.earlier == 1);
        empty(&spool);
    }
    slw_push_endpoint_release(&e);
    stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_and_its_headers_are_taken_or_an_error),
        cmocka_unit_test(a_request_is_whole_or_an_error),
        cmocka_unit_test(an_entry_is_read_or_there_is_no_memory),
        cmocka_unit_test(what_waits_is_sent_or_goes_on_waiting),
    };

    json_set_alloc_funcs(__wrap_malloc, free); /* jansson is no part of this program */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
