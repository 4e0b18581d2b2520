/* SPDX-License-Identifier: MIT */
/* Many callers, one worker, a database that fails: every caller gets the answer it would have got
 * had its requests been executed one at a time in the order of its calls. Each caller has ids of
 * its own, so that this answer is known whatever the others do. */
#include "tests/property/coalesce_fake_int.h"
#include "workloads/coalesce/coalescer.h"

#include <pthread.h>

#define CALLERS    4u
#define WINDOW     64u /* requests a caller has queued at once */
#define WAVES      12u
#define ROUNDS     200u
#define MAX_STATES 24u

/* What one row may be now: versions, 0: no row. More than one after a LOST. */
struct states {
    uint64_t versions[MAX_STATES];
    size_t count;
};

struct caller {
    struct slw_coalescer *coalescer;
    struct slw_random random;
    uint64_t number, ids, next_version;
    struct slw_job jobs[WINDOW];
    struct fake_payload payloads[WINDOW];
    struct states *rows; /* [id / CALLERS] */
    uint64_t told[SLW_OUTCOME_LOST + 1];
};

static bool may_be(const struct states *s, uint64_t version)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->versions[i] == version)
            return true;
    return false;
}

static void is_now(struct states *s, uint64_t version)
{
    *s = (struct states){.versions = {version}, .count = 1};
}

static void may_also_be(struct states *s, uint64_t version)
{
    assert_true(s->count < MAX_STATES);
    s->versions[s->count++] = version;
}

static bool may_exist(const struct states *s)
{
    return s->count > 1 || s->versions[0] != 0;
}

static void model_read(struct states *s, const struct slw_job *job)
{
    struct fake_payload p;

    if (job->answer.outcome == SLW_OUTCOME_NOTHING) {
        assert_true(may_be(s, 0));
        is_now(s, 0);
    } else if (job->answer.outcome == SLW_OUTCOME_DONE) {
        assert_int_equal(job->answer.length, sizeof(p));
        memcpy(&p, job->answer.payload, sizeof(p));
        assert_int_equal(p.id, job->request.id);
        assert_true(may_be(s, p.version));
        is_now(s, p.version);
    }
}

static void model_insert(struct states *s, const struct slw_job *job, uint64_t version)
{
    const bool bad = (version & FAKE_BAD_VERSION) != 0;

    switch (job->answer.outcome) {
    case SLW_OUTCOME_DONE:
        assert_true(may_be(s, 0) && !bad);
        assert_int_equal(job->answer.affected, 1);
        assert_true(job->answer.row > 0);
        is_now(s, version);
        break;
    case SLW_OUTCOME_REJECTED:
        assert_true(bad || may_exist(s)); /* of a bad value nothing is learnt about the row */
        break;
    case SLW_OUTCOME_LOST:
        if (!bad && may_be(s, 0))
            may_also_be(s, version);
        break;
    case SLW_OUTCOME_NOTHING:
    case SLW_OUTCOME_TRANSIENT:
        assert_int_equal(job->answer.outcome, SLW_OUTCOME_TRANSIENT);
        break;
    }
}

static void model_update(struct states *s, const struct slw_job *job, uint64_t version)
{
    const bool bad = (version & FAKE_BAD_VERSION) != 0;

    switch (job->answer.outcome) {
    case SLW_OUTCOME_DONE:
        assert_false(bad);
        assert_true(job->answer.affected == 1 ? may_exist(s) : may_be(s, 0));
        is_now(s, job->answer.affected == 1 ? version : 0);
        break;
    case SLW_OUTCOME_REJECTED:
        assert_true(bad);
        break;
    case SLW_OUTCOME_LOST:
        if (!bad && may_exist(s))
            may_also_be(s, version);
        break;
    case SLW_OUTCOME_NOTHING:
    case SLW_OUTCOME_TRANSIENT:
        assert_int_equal(job->answer.outcome, SLW_OUTCOME_TRANSIENT);
        break;
    }
}

static void queue_one(struct caller *c, size_t i)
{
    struct slw_job *job = &c->jobs[i];
    const uint64_t id = CALLERS * (1 + slw_random_below(&c->random, c->ids)) + c->number;
    uint64_t version = ++c->next_version;

    if (slw_random_below(&c->random, 30) == 0)
        version |= FAKE_BAD_VERSION;
    c->payloads[i] = (struct fake_payload){id, version};
    job->request =
        (struct slw_request){.op = (enum slw_op)slw_random_below(&c->random, SLW_OP_COUNT),
                             .id = id,
                             .payload = &c->payloads[i],
                             .length = sizeof(c->payloads[i])};
    if (job->request.op == SLW_OP_READ)
        job->request.length = 0;
    slw_coalescer_submit(c->coalescer, job);
}

static void check_one(struct caller *c, size_t i)
{
    struct slw_job *job = &c->jobs[i];
    struct states *s = &c->rows[job->request.id / CALLERS];

    slw_job_wait(job);
    c->told[job->answer.outcome]++;
    if (job->request.op == SLW_OP_READ)
        model_read(s, job);
    else if (job->request.op == SLW_OP_INSERT)
        model_insert(s, job, c->payloads[i].version);
    else
        model_update(s, job, c->payloads[i].version);
}

static void *call(void *arg)
{
    struct caller *c = arg;

    for (unsigned wave = 0; wave < WAVES; wave++) {
        const size_t count = 1 + (size_t)slw_random_below(&c->random, WINDOW);
        for (size_t i = 0; i < count; i++)
            queue_one(c, i);
        for (size_t i = 0; i < count; i++)
            check_one(c, i);
    }
    return NULL;
}

/* ---- one round: settings and failures from the seed ---- */

struct round {
    struct fake fake;
    struct slw_lane lane;
    struct slw_coalescer_options options;
    struct slw_coalescer_counts counts;
    struct caller callers[CALLERS];
    bool acknowledged[FAKE_IDS];
    uint64_t requests;
};

static int acknowledge(void *ctx, uint64_t id)
{
    struct round *r = ctx;

    assert_true(r->fake.rows[id].stored);
    assert_false(r->acknowledged[id]); /* stored once, told once */
    r->acknowledged[id] = true;
    return 0;
}

static unsigned a_rate(struct slw_random *random)
{
    static const unsigned rates[] = {0, 4, 15, 60};

    return rates[slw_random_below(random, 4)];
}

static void choose(struct round *r, struct slw_random *random)
{
    r->fake.random.state = slw_random_next(random);
    r->fake.rates.transient = a_rate(random);
    r->fake.rates.lost_before = a_rate(random);
    r->fake.rates.lost_after = a_rate(random);
    r->options = (struct slw_coalescer_options){
        .batch = 1 + (size_t)slw_random_below(random, 300),
        .how = (enum slw_batching)slw_random_below(random, SLW_BATCHING_COUNT),
        .retries = (unsigned)slw_random_below(random, 8),
        .cache_rows = (size_t)slw_random_below(random, 3) * 16,
        .limits = {1 + (size_t)slw_random_below(random, 100), 1000},
        .acknowledged = acknowledge,
        .acknowledged_ctx = r,
    };
}

static void open_lane(struct round *r)
{
    const struct slw_lane_options o = {.driver = &fake_driver,
                                       .where = (const char *)&r->fake,
                                       .fail_every = r->options.batch % 5,
                                       .patience_ns = UINT64_C(60000000000)};

    assert_int_equal(slw_lane_open(&r->lane, &o, 7, NULL), 0);
    assert_int_equal(slw_coalescer_new(&r->lane, &r->options, &r->callers[0].coalescer, NULL), 0);
}

static void start_caller(struct round *r, struct slw_random *random, uint64_t number,
                         pthread_t *thread)
{
    struct caller *c = &r->callers[number];

    c->coalescer = r->callers[0].coalescer;
    c->random.state = slw_random_next(random);
    c->number = number;
    c->ids = 1 + slw_random_below(random, FAKE_IDS / CALLERS - 2);
    c->rows = calloc(FAKE_IDS / CALLERS, sizeof(*c->rows));
    assert_non_null(c->rows);
    for (size_t i = 0; i < FAKE_IDS / CALLERS; i++)
        is_now(&c->rows[i], 0);
    for (size_t i = 0; i < WINDOW; i++)
        slw_job_init(&c->jobs[i]);
    assert_int_equal(pthread_create(thread, NULL, call, c), 0);
}

static void end_caller(struct round *r, struct caller *c)
{
    for (size_t i = 0; i < WINDOW; i++)
        slw_job_release(&c->jobs[i]);
    for (size_t i = 0; i < SLW_OUTCOME_LOST + 1; i++)
        r->requests += c->told[i];
    for (uint64_t id = CALLERS + c->number; id < FAKE_IDS; id += CALLERS) {
        const struct fake_row *row = &r->fake.rows[id];

        assert_true(row->inserts <= 1 && row->stored == (row->inserts == 1));
        assert_true(row->stored || !r->acknowledged[id]);
        assert_true(may_be(&c->rows[id / CALLERS], row->stored ? row->payload.version : 0));
    }
    free(c->rows);
}

static uint64_t play(struct slw_random *random)
{
    struct round *r = calloc(1, sizeof(*r));
    pthread_t threads[CALLERS];

    assert_non_null(r);
    choose(r, random);
    open_lane(r);
    for (uint64_t i = 0; i < CALLERS; i++)
        start_caller(r, random, i, &threads[i]);
    for (size_t i = 0; i < CALLERS; i++)
        (void)pthread_join(threads[i], NULL);
    assert_int_equal(slw_coalescer_free(r->callers[0].coalescer, &r->counts, NULL), 0);
    slw_lane_close(&r->lane);
    for (size_t i = 0; i < CALLERS; i++)
        end_caller(r, &r->callers[i]);
    assert_int_equal(r->counts.taken, r->requests);
    assert_true(r->fake.largest <= r->options.limits.rows);
    assert_true(r->counts.execute.retries <= r->requests * r->options.retries);
    const uint64_t requests = r->requests;
    free(r);
    return requests;
}

static void each_caller_is_answered_as_if_alone(void **state)
{
    struct slw_random random = {20261122};
    uint64_t requests = 0;

    (void)state;
    printf("seed %llu\n", (unsigned long long)random.state);
    for (unsigned i = 0; i < ROUNDS; i++)
        requests += play(&random);
    printf("%llu requests\n", (unsigned long long)requests);
    assert_true(requests / ROUNDS > 1000);
}

/* ---- what is bounded ---- */

#define TOGETHER 128u

/* So many inserts as one batch: the worker waits for them all. */
struct together {
    struct fake fake;
    struct slw_lane lane;
    struct slw_job jobs[TOGETHER];
    struct fake_payload payloads[TOGETHER];
    struct slw_coalescer_counts counts;
    int rc;
};

static void go_together(struct together *t, unsigned retries, bool (*is_bad)(size_t i))
{
    const struct slw_lane_options lane = {.driver = &fake_driver, .where = (const char *)&t->fake};
    const struct slw_coalescer_options o = {.batch = TOGETHER,
                                            .linger_ns = UINT64_C(60000000000),
                                            .how = SLW_BATCHING_STATEMENT,
                                            .retries = retries,
                                            .limits = {1000, 100000}};
    struct slw_coalescer *c = NULL;

    assert_int_equal(slw_lane_open(&t->lane, &lane, 7, NULL), 0);
    assert_int_equal(slw_coalescer_new(&t->lane, &o, &c, NULL), 0);
    for (size_t i = 0; i < TOGETHER; i++) {
        t->payloads[i] = (struct fake_payload){i + 1, is_bad && is_bad(i) ? FAKE_BAD_VERSION : 1};
        slw_job_init(&t->jobs[i]);
        t->jobs[i].request = (struct slw_request){
            .id = i + 1, .payload = &t->payloads[i], .length = sizeof(t->payloads[i])};
        slw_coalescer_submit(c, &t->jobs[i]);
    }
    for (size_t i = 0; i < TOGETHER; i++) {
        slw_job_wait(&t->jobs[i]);
        slw_job_release(&t->jobs[i]);
    }
    t->rc = slw_coalescer_free(c, &t->counts, NULL);
    slw_lane_close(&t->lane);
}

static bool three(size_t i)
{
    return i == 0 || i == 77 || i == 127;
}

static void a_bad_row_hurts_its_caller_only(void **state)
{
    struct together *t = calloc(1, sizeof(*t));

    (void)state;
    assert_non_null(t);
    go_together(t, 3, three);
    for (size_t i = 0; i < TOGETHER; i++)
        assert_int_equal(t->jobs[i].answer.outcome,
                         three(i) ? SLW_OUTCOME_REJECTED : SLW_OUTCOME_DONE);
    assert_int_equal(t->counts.batches, 1);
    assert_true(t->fake.calls <= 1 + 3 * 2 * 7);
    free(t);
}

static void retries_are_bounded(void **state)
{
    struct together *t = calloc(1, sizeof(*t));

    (void)state;
    assert_non_null(t);
    t->fake.rates.transient = 1;
    go_together(t, 5, NULL);
    for (size_t i = 0; i < TOGETHER; i++)
        assert_int_equal(t->jobs[i].answer.outcome, SLW_OUTCOME_TRANSIENT);
    assert_int_equal(t->fake.calls, 6);
    assert_int_equal(t->counts.execute.retries, 5 * TOGETHER);
    assert_int_equal(t->rc, 0);
    free(t);
}

static void what_may_be_stored_is_told_lost(void **state)
{
    struct together *t = calloc(1, sizeof(*t));

    (void)state;
    assert_non_null(t);
    t->fake.rates.lost_before = 1;
    go_together(t, 4, NULL);
    for (size_t i = 0; i < TOGETHER; i++)
        assert_int_equal(t->jobs[i].answer.outcome, SLW_OUTCOME_LOST);
    assert_int_equal(t->fake.calls, 5);
    assert_int_equal(t->fake.opens, 5);
    free(t);
}

/* A duplicate whose answer was lost is not taken for the row that is there. */
static void another_ones_row_is_not_ours(void **state)
{
    struct together *t = calloc(1, sizeof(*t));

    (void)state;
    assert_non_null(t);
    t->fake.rows[5] = (struct fake_row){.stored = true, .payload = {5, 9}, .row = 1000};
    for (unsigned seed = 0; seed < 64; seed++) {
        t->fake.random.state = seed;
        t->fake.rates.lost_before = 2;
        go_together(t, 40, NULL);
        for (size_t i = 0; i < TOGETHER; i++) {
            assert_int_equal(t->jobs[i].answer.outcome,
                             i == 4 ? SLW_OUTCOME_REJECTED : SLW_OUTCOME_DONE);
            if (i != 4)
                memset(&t->fake.rows[i + 1], 0, sizeof(t->fake.rows[0]));
        }
    }
    free(t);
}

/* Somebody else may have written since. */
static void an_update_whose_answer_was_lost_is_not_repeated(void **state)
{
    struct fake *f = calloc(1, sizeof(*f));
    const struct slw_lane_options lo = {.driver = &fake_driver, .where = (const char *)f};
    const struct slw_coalescer_options o = {
        .batch = 1, .how = SLW_BATCHING_STATEMENT, .retries = 9, .limits = {1, 1}};
    struct fake_payload p = {1, 2};
    struct slw_lane lane = {.connection = NULL};
    struct slw_coalescer *c = NULL;
    struct slw_job job;

    (void)state;
    assert_non_null(f);
    f->rows[1].stored = true;
    f->rates.lost_after = 1;
    assert_int_equal(slw_lane_open(&lane, &lo, 7, NULL), 0);
    assert_int_equal(slw_coalescer_new(&lane, &o, &c, NULL), 0);
    slw_job_init(&job);
    job.request =
        (struct slw_request){.op = SLW_OP_UPDATE, .id = 1, .payload = &p, .length = sizeof(p)};
    slw_coalescer_submit(c, &job);
    slw_job_wait(&job);
    assert_int_equal(job.answer.outcome, SLW_OUTCOME_LOST);
    assert_int_equal(f->calls, 1);
    slw_job_release(&job);
    assert_int_equal(slw_coalescer_free(c, NULL, NULL), 0);
    slw_lane_close(&lane);
    free(f);
}

static void what_nobody_heard_of_is_told_lost(void **state)
{
    struct together *t = calloc(1, sizeof(*t));

    (void)state;
    assert_non_null(t);
    t->fake.rates.lost_after = 1;
    go_together(t, 0, NULL); /* stored, and nobody heard of it */
    for (size_t i = 0; i < TOGETHER; i++)
        assert_int_equal(t->jobs[i].answer.outcome, SLW_OUTCOME_LOST);
    assert_int_equal(t->rc, 0);
    free(t);
}

static void a_server_that_stays_away_ends_it(void **state)
{
    struct fake *f = calloc(1, sizeof(*f));
    const struct slw_lane_options o = {.driver = &fake_driver, .where = (const char *)f};
    struct fake_payload p = {1, 1};
    const struct slw_request r = {.id = 1, .payload = &p, .length = sizeof(p)};
    struct slw_lane lane = {.connection = NULL};
    struct slw_error err = {0};
    struct slw_answer a;

    (void)state;
    assert_non_null(f);
    assert_int_equal(slw_lane_open(&lane, &o, 7, NULL), 0);
    f->rates.lost_before = 1;
    assert_int_equal(slw_lane_run(&lane, SLW_BATCHING_NONE, &r, 1, &a, &err), 0);
    assert_int_equal(a.outcome, SLW_OUTCOME_LOST);
    f->gone = true;
    assert_int_equal(slw_lane_run(&lane, SLW_BATCHING_NONE, &r, 1, &a, &err), -SLW_E_GONE);
    assert_int_equal(a.outcome, SLW_OUTCOME_TRANSIENT);
    assert_non_null(strstr(err.text, "nobody answers"));
    f->gone = false; /* given up once and for all: others wait in line to find out */
    const uint64_t opens = f->opens;
    assert_int_equal(slw_lane_run(&lane, SLW_BATCHING_NONE, &r, 1, &a, NULL), -SLW_E_GONE);
    assert_int_equal(f->opens, opens);
    slw_lane_close(&lane);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_caller_is_answered_as_if_alone),
        cmocka_unit_test(a_bad_row_hurts_its_caller_only),
        cmocka_unit_test(retries_are_bounded),
        cmocka_unit_test(what_may_be_stored_is_told_lost),
        cmocka_unit_test(another_ones_row_is_not_ours),
        cmocka_unit_test(an_update_whose_answer_was_lost_is_not_repeated),
        cmocka_unit_test(what_nobody_heard_of_is_told_lost),
        cmocka_unit_test(a_server_that_stays_away_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
