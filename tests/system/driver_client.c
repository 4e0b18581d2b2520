/* SPDX-License-Identifier: MIT */
/* A database driver on a bad day: what it answers is printed, line by line, for a test to compare
 * with what the server has.
 *
 * usage: system_driver_client DRIVER WHERE SETTINGS open|create|list|durability|missing
 *        system_driver_client DRIVER WHERE SETTINGS fill|submit BATCHING COUNT
 *
 * fill, submit: insert ids 1 .. COUNT until the connection breaks. missing: answers of all
 * batchings while there is no table, a line "ready", a line from stdin awaited, and once more. */
#include "tests/driver_fixture.h"

#include <stdio.h>

#define TABLE  "slotwise_client"
#define CHUNK  100
#define WINDOW 300

static const char *const outcomes[] = {"DONE", "NOTHING", "TRANSIENT", "REJECTED", "LOST"};
static const char *const batchings[] = {"none", "pipeline", "statement", "transaction"};

static struct driver_fixture fixture;
static void *c;
static char payload[200];

static void tell(uint64_t id, const struct slw_answer *a)
{
    (void)printf("%s %llu %s\n", outcomes[a->outcome], (unsigned long long)id, a->why);
}

static int tell_error(const struct slw_error *err)
{
    (void)printf("ERROR %s %s | %s\n", slw_code_name(err->code), err->text, err->hint);
    return 0;
}

static struct slw_request insert(uint64_t id)
{
    return (struct slw_request){
        .op = SLW_OP_INSERT, .id = id, .payload = payload, .length = sizeof(payload)};
}

static size_t batching(const char *name)
{
    size_t i = 0;

    while (i < SLW_BATCHING_COUNT && strcmp(batchings[i], name) != 0)
        i++;
    return i;
}

static int fill(enum slw_batching how, uint64_t count)
{
    struct slw_error err = {0};
    int rc = 0;

    for (uint64_t first = 1; rc >= 0 && first <= count; first += CHUNK) {
        struct slw_request requests[CHUNK];
        struct slw_answer answers[CHUNK];

        for (size_t i = 0; i < CHUNK; i++)
            requests[i] = insert(first + i);
        memset(answers, 0xff, sizeof(answers));
        rc = fixture.driver->run(c, how, requests, CHUNK, answers, &err);
        for (size_t i = 0; i < CHUNK; i++)
            tell(first + i, &answers[i]);
        (void)fflush(stdout);
    }
    return rc < 0 ? tell_error(&err) : 0;
}

static int submit(uint64_t count)
{
    uint64_t sent = 0, answered = 0;
    struct slw_error err = {0};
    int rc = 0;

    while (rc >= 0 && answered < count) {
        struct slw_completion done[64];

        while (rc >= 0 && sent < count && sent - answered < WINDOW) {
            const struct slw_request r = insert(sent + 1);
            rc = fixture.driver->submit(c, &r, r.id, &err);
            sent += rc >= 0;
        }
        if (rc >= 0)
            (void)fixture.driver->flush(c, &err); /* what was lost, poll tells */
        err = (struct slw_error){0};
        rc = fixture.driver->poll(c, 10000, done, 64, &err); /* LOST ones too */
        for (int i = 0; i < rc; i++)
            tell(done[i].token, &done[i].answer);
        answered += rc > 0 ? (uint64_t)rc : 0;
        (void)fflush(stdout);
    }
    (void)printf("OPEN %llu\n", (unsigned long long)(sent - answered));
    return rc < 0 ? tell_error(&err) : 0;
}

static int one_of_each(uint64_t first)
{
    for (uint64_t how = 0; how < SLW_BATCHING_COUNT; how++) {
        const struct slw_request requests[] = {insert(first + 2 * how),
                                               insert(first + 2 * how + 1)};
        struct slw_answer answers[2];
        struct slw_error err = {0};

        if (fixture.driver->run(c, (enum slw_batching)how, requests, 2, answers, &err) < 0)
            return tell_error(&err);
        tell(requests[0].id, &answers[0]);
        tell(requests[1].id, &answers[1]);
    }
    return 0;
}

static int missing(void)
{
    char line[8];

    if (one_of_each(1) < 0)
        return 1;
    (void)printf("ready\n");
    (void)fflush(stdout);
    return fgets(line, sizeof(line), stdin) ? one_of_each(101) : 1;
}

static int durability(void)
{
    char text[160] = "unknown";

    (void)fixture.driver->durability(c, text, sizeof(text));
    (void)printf("%s\n", text);
    return 0;
}

static int see(void *ctx, uint64_t id)
{
    (void)ctx;
    (void)printf("%llu\n", (unsigned long long)id);
    return 0;
}

static int work(int argc, char **argv)
{
    const uint64_t count = argc > 6 ? strtoull(argv[6], NULL, 10) : 0;
    struct slw_error err = {0};
    int rc = 0;

    if (strcmp(argv[4], "fill") == 0 && argc > 6 && batching(argv[5]) < SLW_BATCHING_COUNT)
        return fill((enum slw_batching)batching(argv[5]), count);
    if (strcmp(argv[4], "submit") == 0)
        return submit(count);
    if (strcmp(argv[4], "missing") == 0)
        return missing();
    if (strcmp(argv[4], "durability") == 0)
        return durability();
    if (strcmp(argv[4], "create") == 0)
        rc = fixture.driver->create(c, &err);
    else if (strcmp(argv[4], "list") == 0)
        rc = fixture.driver->visit(c, see, NULL, &err);
    return rc < 0 ? tell_error(&err) : 0;
}

int main(int argc, char **argv)
{
    struct slw_error err = {0};

    if (argc < 5)
        return 64;
    const struct slw_driver *driver = slw_driver_find(argv[1]);
    if (!driver || driver->missing) {
        (void)fprintf(stderr, "skipped: built without %s\n",
                      driver ? driver->missing : "this driver");
        return 77;
    }
    fixture_init(&fixture, driver, argv[3]);
    if (fixture_open(&fixture, argv[2], TABLE, &c, &err) < 0)
        return tell_error(&err);
    (void)printf("OPENED\n");
    const int rc = work(argc, argv);
    driver->close(c);
    return rc;
}
