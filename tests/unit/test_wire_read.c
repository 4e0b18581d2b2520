/* SPDX-License-Identifier: MIT */
#include "cmocka_int.h"

#include "collector/taps/wire.h"
#include "collector/taps/wire/conn.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct slw_wire_map));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

/* A connection to 127.0.0.1 that made five requests. */
static struct slw_wire_slot *add_slot(struct slw_wire_map *m, uint16_t port, uint32_t protocol)
{
    static const uint8_t loopback[] = {127, 0, 0, 1};
    struct slw_wire_slot *s = &m->slots[m->slot_used++];

    s->family = AF_INET;
    s->port = port;
    memcpy(s->address, loopback, sizeof(loopback));
    s->connections = 1;
    s->protocol = protocol;
    s->counts.requests = protocol ? 5 : 0;
    if (m->process_count == 0)
        m->processes[m->process_count++] = (struct slw_wire_process){.pid = 1, .loaded = 1};
    return s;
}

static struct slw_run *read_map(const struct slw_wire_map *m)
{
    struct slw_run *run = NULL;

    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_wire_read(m, run, NULL), 0);
    return run;
}

static void absent(const struct slw_wire_map *m, const char *words)
{
    struct slw_run *run = read_map(m);

    assert_non_null(run->requests.absent);
    if (!strstr(run->requests.absent, words))
        fail_msg("no '%s' in: %s", words, run->requests.absent);
    slw_run_free(run);
}

static void present(const struct slw_wire_map *m, uint64_t requests)
{
    struct slw_run *run = read_map(m);

    assert_null(run->requests.absent);
    assert_int_equal(run->requests.value, requests);
    slw_run_free(run);
}

static void encrypted_connections_are_lost_until_their_text_is_seen(void **state)
{
    struct slw_wire_map *m = *state;
    struct slw_wire_slot *s = add_slot(m, 5432, 1);

    s->encrypted = 1;
    absent(m, "encrypted (TLS)");
    s->decrypted = 1;
    present(m, 5);
    s->lost = 1;
    s->reason = SLW_WIRE_CONTENDED;
    absent(m, "several threads");
}

/* Of no protocol, but to a server that others speak one with: its requests are missing. */
static void an_unknown_connection_to_a_known_server_counts(void **state)
{
    struct slw_wire_map *m = *state;

    (void)add_slot(m, 6379, 4);
    struct slw_wire_slot *s = add_slot(m, 8080, 0);
    s->lost = 1;
    s->reason = SLW_WIRE_MISSED;
    present(m, 5);
    s->port = 6379;
    absent(m, "5 requests were seen");
}

static void sqlite_is_told_by_its_file(void **state)
{
    struct slw_wire_map *m = *state;
    struct slw_wire_slot *s = add_slot(m, 0, SLW_WIRE_SQLITE);

    s->family = 0;
    strcpy(s->path, "/data/bench.db"); /* NOLINT(clang-analyzer-security.insecureAPI.strcpy) */
    s->counts.responses = 5;
    struct slw_run *run = read_map(m);
    assert_int_equal(run->connection_count, 1);
    assert_string_equal(run->connections[0].peer, "/data/bench.db");
    assert_string_equal(run->connections[0].protocol, "SQLite");
    assert_int_equal(run->connections[0].statements, 5);
    slw_run_free(run);
}

static void a_library_that_was_loaded_nowhere_is_told(void **state)
{
    absent(*state, "into no process");
}

static void programs_without_the_library_are_told(void **state)
{
    struct slw_wire_map *m = *state;

    m->process_count = 3;
    m->processes[0] = (struct slw_wire_process){.pid = 10, .loaded = 1, .execs = 2, .returned = 1};
    m->processes[1] = (struct slw_wire_process){.pid = 11, .execs = 1, .arrived = 1};
    m->processes[2] = (struct slw_wire_process){.pid = 12, .execs = 1};
    absent(m, "2 program(s)");
    m->processes[0].arrived = 1;
    absent(m, "1 program(s)");
    /* The process that was started was quicker than who started it. */
    m->processes[m->process_count++] = (struct slw_wire_process){.pid = 12, .loaded = 1};
    absent(m, "no connection to a database");
    (void)add_slot(m, 6379, 4);
    present(m, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(encrypted_connections_are_lost_until_their_text_is_seen),
        TEST(an_unknown_connection_to_a_known_server_counts),
        TEST(sqlite_is_told_by_its_file),
        TEST(a_library_that_was_loaded_nowhere_is_told),
        TEST(programs_without_the_library_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
