/* SPDX-License-Identifier: MIT */
/* Client state that threads share: a cache of statements, looked up by every request, under one
 * lock or in shards with a lock each; what is heavy (serializing the payload) done with the lock
 * held or released, and once or twice. With --execute each request is also sent to the database,
 * on a connection of its thread. */
#include "base/clock.h"
#include "workloads/crew.h"
#include "workloads/load.h"
#include "workloads/workload.h"

#include <pthread.h>
#include <slotwise/stage.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE  64
#define MOST_SHARDS 4096

/* ---- the map ---- */

struct entry {
    uint64_t key, statement, uses;
    struct entry *next;
};

struct shard {
    _Alignas(CACHE_LINE) pthread_mutex_t lock;
    struct entry **buckets;
};

struct map {
    struct shard *shards;
    size_t shard_count, bucket_count; /* powers of two; buckets of each shard */
    atomic_ullong next_statement;
};

static uint64_t mix(uint64_t key)
{
    struct slw_random r = {key};

    return slw_random_next(&r);
}

static size_t power_of_two(size_t at_least)
{
    size_t n = 1;

    while (n < at_least)
        n *= 2;
    return n;
}

static void map_release(struct map *m)
{
    for (size_t s = 0; m->shards && s < m->shard_count; s++) {
        for (size_t b = 0; m->shards[s].buckets && b < m->bucket_count; b++) {
            while (m->shards[s].buckets[b]) {
                struct entry *e = m->shards[s].buckets[b];
                m->shards[s].buckets[b] = e->next;
                free(e);
            }
        }
        free(m->shards[s].buckets);
        (void)pthread_mutex_destroy(&m->shards[s].lock);
    }
    free(m->shards);
}

/* As many buckets in all, however many shards. */
static int map_init(struct map *m, size_t shards, size_t keys, struct slw_error *err)
{
    *m = (struct map){.shard_count = power_of_two(shards)};
    const size_t buckets = power_of_two(keys) / m->shard_count;
    bool failed = false;

    m->bucket_count = buckets ? buckets : 1;
    m->shards = aligned_alloc(CACHE_LINE, m->shard_count * sizeof(*m->shards));
    for (size_t s = 0; m->shards && s < m->shard_count; s++) {
        (void)pthread_mutex_init(&m->shards[s].lock, NULL);
        m->shards[s].buckets = calloc(m->bucket_count, sizeof(struct entry *));
        failed = failed || !m->shards[s].buckets;
    }
    if (!m->shards || failed) {
        map_release(m);
        return slw_fail(err, SLW_E_NOMEM, "no memory for a map of %zu keys", keys);
    }
    return 0;
}

static struct shard *shard_of(const struct map *m, uint64_t hash)
{
    return &m->shards[hash >> 32 & (m->shard_count - 1)];
}

/* The entry of a key, made when it is new; NULL without memory. The shard is locked. */
static struct entry *find(struct map *m, struct shard *s, uint64_t key, uint64_t hash)
{
    struct entry **bucket = &s->buckets[hash & (m->bucket_count - 1)];

    for (struct entry *e = *bucket; e; e = e->next)
        if (e->key == key)
            return e;
    struct entry *e = malloc(sizeof(*e));
    if (!e)
        return NULL;
    *e = (struct entry){
        .key = key, .statement = atomic_fetch_add(&m->next_statement, 1) + 1, .next = *bucket};
    *bucket = e;
    return e;
}

/* Every look-up is counted in its entry: none may get lost between threads. */
static uint64_t map_uses(const struct map *m)
{
    uint64_t uses = 0;

    for (size_t s = 0; s < m->shard_count; s++)
        for (size_t b = 0; b < m->bucket_count; b++)
            for (const struct entry *e = m->shards[s].buckets[b]; e; e = e->next)
                uses += e->uses;
    return uses;
}

/* ---- the work ---- */

/* As a JSON string: what every textual protocol does in some form. `out` NULL: only its length. */
static size_t serialize(const unsigned char *bytes, size_t length, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < length; i++) {
        const bool escape = bytes[i] == '"' || bytes[i] == '\\';

        if (escape && out)
            out[n] = '\\';
        n += escape;
        if (out)
            out[n] = (char)bytes[i];
        n++;
    }
    return n;
}

struct worker;

struct plan {
    const struct slw_workload_options *options;
    struct map map;
    struct worker *workers;
    size_t threads, payload;
    struct slw_zipf zipf;
    bool held, twice, execute;
    atomic_ullong next;   /* request, warm-up first */
    atomic_bool measured; /* the warm-up is over */
    struct slw_stretch stretch;
    pthread_mutex_t start_lock;
};

struct worker {
    struct slw_tally tally;
    struct slw_random random;
    void *connection;
    unsigned char *payload;
    char *wire; /* of 2 * payload bytes */
    uint64_t looked_up;
    struct slw_error err;
};

static void make_payload(struct worker *w, const struct plan *p, uint64_t statement)
{
    size_t room = 2 * p->payload;

    SLOTWISE_STAGE_BEGIN(serialize, 1);
    if (p->twice) /* once to know how long it gets, once to write it */
        room = serialize(w->payload, p->payload, NULL);
    memcpy(w->payload, &statement, sizeof(statement));
    (void)serialize(w->payload, p->payload, room ? w->wire : NULL);
    __asm__ __volatile__(""
                         :
                         : "r"(w->wire)
                         : "memory"); /* it goes to the wire: not to be left out */
    SLOTWISE_STAGE_END(serialize);
}

static int look_up_and_serialize(struct plan *p, struct worker *w, uint64_t key)
{
    const uint64_t hash = mix(key);
    struct shard *s = shard_of(&p->map, hash);
    uint64_t statement = 0;

    SLOTWISE_STAGE_BEGIN(look_up, 1);
    (void)pthread_mutex_lock(&s->lock);
    struct entry *e = find(&p->map, s, key, hash);
    if (e) {
        e->uses++;
        statement = e->statement;
    }
    if (p->held && e)
        make_payload(w, p, statement);
    (void)pthread_mutex_unlock(&s->lock);
    SLOTWISE_STAGE_END(look_up);
    if (!e)
        return slw_fail(&w->err, SLW_E_NOMEM, "no memory for the map");
    w->looked_up++;
    if (!p->held)
        make_payload(w, p, statement);
    return 0;
}

static int execute(const struct plan *p, struct worker *w, uint64_t id, struct slw_answer *answer)
{
    const struct slw_request request = {
        .op = SLW_OP_INSERT, .id = id, .payload = w->wire, .length = p->payload};
    const struct slw_workload_options *o = p->options;

    SLOTWISE_STAGE_BEGIN(execute, 1);
    int rc = o->driver->run(w->connection, SLW_BATCHING_NONE, &request, 1, answer, &w->err);
    SLOTWISE_STAGE_END(execute);
    if (rc >= 0 && answer->outcome == SLW_OUTCOME_DONE && o->acknowledged &&
        o->acknowledged(o->acknowledged_ctx, id) < 0)
        rc = slw_fail(&w->err, SLW_E_IO, "cannot write the id of an acknowledged row");
    return rc;
}

static bool stopped(const struct plan *p)
{
    return p->options->stop && atomic_load_explicit(p->options->stop, memory_order_relaxed);
}

/* The first thread that gets a request to be measured starts the clock. */
static void start_measuring(struct plan *p)
{
    if (atomic_load_explicit(&p->measured, memory_order_acquire))
        return;
    (void)pthread_mutex_lock(&p->start_lock);
    if (!atomic_load(&p->measured)) {
        slw_stretch_start(&p->stretch);
        atomic_store(&p->measured, true);
    }
    (void)pthread_mutex_unlock(&p->start_lock);
}

static void work(void *ctx, size_t index)
{
    struct plan *p = ctx;
    struct worker *w = &p->workers[index];
    const struct slw_workload_options *o = p->options;
    const uint64_t total = o->warm_up + o->requests;
    struct slw_arrivals arrivals;
    uint64_t n;

    if (o->rate > 0)
        slw_arrivals_init(&arrivals, o->rate / (double)p->threads, o->seed + index,
                          slw_clock_monotonic_ns());
    while (!stopped(p) && (n = atomic_fetch_add(&p->next, 1)) < total) {
        struct slw_answer answer = {.outcome = SLW_OUTCOME_DONE};
        uint64_t start = 0;

        if (o->rate > 0) {
            start = slw_arrivals_next(&arrivals);
            slw_wait_until(start);
        }
        if (n >= o->warm_up)
            start_measuring(p);
        if (o->rate <= 0)
            start = slw_clock_monotonic_ns();
        if (look_up_and_serialize(p, w, slw_zipf_next(&p->zipf, &w->random)) < 0 ||
            (p->execute && execute(p, w, o->first_id + n, &answer) < 0))
            break;
        if (n >= o->warm_up)
            slw_tally_answer(&w->tally, answer.outcome, slw_clock_monotonic_ns() - start);
    }
}

/* ---- a run ---- */

static const char *const maps[] = {"one-lock", "sharded", NULL};
static const char *const locks[] = {"held", "released", NULL};
static const char *const serializings[] = {"twice", "once", NULL};

static const struct slw_setting settings[] = {
    {.name = "threads",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "4",
     .low = 1,
     .high = 256,
     .text = "Threads that make requests."},
    {.name = "map",
     .kind = SLW_SETTING_CHOICE,
     .choices = maps,
     .otherwise = "sharded",
     .text = "How the shared state is locked: by one lock, or by one lock a shard."},
    {.name = "shards",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "64",
     .low = 1,
     .high = MOST_SHARDS,
     .text = "Shards of a sharded map, rounded up to a power of two."},
    {.name = "lock",
     .kind = SLW_SETTING_CHOICE,
     .choices = locks,
     .otherwise = "released",
     .text = "Is the lock held while the payload is serialized?"},
    {.name = "serialize",
     .kind = SLW_SETTING_CHOICE,
     .choices = serializings,
     .otherwise = "once",
     .text = "Serialize a payload once, or first to learn its length and then to write it."},
    {.name = "keys",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "10000",
     .low = 1,
     .high = 10000000,
     .text = "Keys of the shared state."},
    {.name = "zipf",
     .kind = SLW_SETTING_DECIMAL,
     .value = "THETA",
     .otherwise = "0.99",
     .low = 0,
     .high = 5,
     .text = "How unevenly keys are chosen; 0 is evenly."},
    {.name = "payload",
     .kind = SLW_SETTING_NUMBER,
     .value = "BYTES",
     .otherwise = "1024",
     .low = 8,
     .high = SLW_MAX_PAYLOAD / 2,
     .text = "Bytes that are serialized for a request."},
    {.name = "execute",
     .kind = SLW_SETTING_FLAG,
     .text = "Send each request to the database as well, on a connection of its thread."},
    {.name = NULL},
};

static int worker_init(struct worker *w, const struct plan *p, size_t index, struct slw_error *err)
{
    const struct slw_workload_options *o = p->options;

    w->random.state = o->seed * 1000003U + index;
    w->payload = malloc(p->payload);
    w->wire = calloc(2, p->payload);
    if (!w->payload || !w->wire)
        return slw_fail(err, SLW_E_NOMEM, "no memory for payloads");
    slw_payload_fill(o->seed, index + 1, w->payload, p->payload);
    return p->execute ? o->driver->open(o->where, o->table, o->choices, &w->connection, err) : 0;
}

static void worker_release(struct worker *w, const struct plan *p)
{
    if (w->connection)
        p->options->driver->close(w->connection);
    free(w->payload);
    free(w->wire);
}

static int collect(struct plan *p, struct slw_workload_result *result, struct slw_error *err)
{
    uint64_t looked_up = 0;

    slw_stretch_stop(&p->stretch, &result->tally);
    for (size_t i = 0; i < p->threads; i++) {
        struct worker *w = &p->workers[i];

        if (w->err.code) {
            *err = w->err;
            return -(int)w->err.code;
        }
        looked_up += w->looked_up;
        slw_tally_merge(&result->tally, &w->tally);
    }
    const uint64_t uses = map_uses(&p->map);
    if (uses != looked_up)
        return slw_fail(err, SLW_E_INTERNAL, "the map counted %llu uses of %llu",
                        (unsigned long long)uses, (unsigned long long)looked_up);
    slw_workload_extra(result, "entries of the map", (double)atomic_load(&p->map.next_statement),
                       "");
    slw_workload_extra(result, "locks of the map", (double)p->map.shard_count, "");
    return 0;
}

static int run(const struct slw_workload_options *o, struct slw_workload_result *ret_result,
               struct slw_error *err)
{
    const struct slw_choices *c = o->choices;
    struct plan p = {
        .options = o,
        .threads = slw_choices_number(c, "threads"),
        .payload = slw_choices_number(c, "payload"),
        .held = slw_choices_choice(c, "lock") == 0,
        .twice = slw_choices_choice(c, "serialize") == 0,
        .execute = slw_choices_flag(c, "execute"),
        .start_lock = PTHREAD_MUTEX_INITIALIZER,
    };
    const bool sharded = slw_choices_choice(c, "map") == 1;
    const uint64_t keys = slw_choices_number(c, "keys");
    int rc = map_init(&p.map, sharded ? slw_choices_number(c, "shards") : 1, keys, err);

    if (rc < 0)
        return rc;
    slw_zipf_init(&p.zipf, keys, slw_choices_decimal(c, "zipf"));
    p.workers = calloc(p.threads, sizeof(*p.workers));
    if (!p.workers)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for %zu threads", p.threads);
    for (size_t i = 0; rc >= 0 && i < p.threads; i++)
        rc = worker_init(&p.workers[i], &p, i, err);
    if (rc >= 0 && p.execute && o->driver->durability)
        (void)o->driver->durability(p.workers[0].connection, ret_result->durability,
                                    sizeof(ret_result->durability));
    slw_stretch_start(&p.stretch); /* for a run that is stopped in its warm-up */
    if (rc >= 0)
        rc = slw_crew_run(p.threads, work, &p, err);
    if (rc >= 0)
        rc = collect(&p, ret_result, err);
    for (size_t i = 0; p.workers && i < p.threads; i++)
        worker_release(&p.workers[i], &p);
    free(p.workers);
    map_release(&p.map);
    return rc;
}

const struct slw_workload slw_workload_shards = {
    .name = "shards",
    .summary = "Client state shared by threads: one lock or one a shard, held or released.",
    .ancestor =
        "Published: a map under one mutex against a sharded one, 1.1 times the throughput with 1 "
        "thread and 4.0 times with 4; a global lock released during heavy work, 4.0 times with 4 "
        "threads. On a machine of 2 CPUs there is less to be gained.",
    .needs_driver = true,
    .requests = 2000000,
    .settings = settings,
    .run = run,
};
