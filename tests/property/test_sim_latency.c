/* SPDX-License-Identifier: MIT */
/* What has to hold for every described core: raising a latency makes no loop of known behaviour
 * faster, the slots of anything at all sum to width times cycles, and the same input gives the same
 * counts. The random programs are seeded; the seed is printed. */
#include "tests/sim_feed.h"
#include "tests/unit/cmocka_int.h"

#define ROUNDS 3000

enum where { NOWHERE, ONE_PLACE, LINES_64K, LINES_1M, LINES_64M, PAGES };

struct kernel {
    const char *name, *code;
    size_t length;
    enum where where;
    bool loads, stores;
    bool random_branch; /* after the code, a jump whose direction is chance */
    unsigned copies;    /* at other addresses, run one after the other */
};

#define CODE(text) text, sizeof(text) - 1

static const struct kernel kernels[] = {
    {"adds", CODE("\x01\xc0\x01\xdb\x01\xc9\x01\xd2\xeb\xf6"), NOWHERE, 0, 0, 0, 1},
    {"multiply", CODE("\x48\x0f\xaf\xc0\xeb\xfa"), NOWHERE, 0, 0, 0, 1},
    {"divide 64", CODE("\x31\xd2\x48\xf7\xf1\xeb\xf9"), NOWHERE, 0, 0, 0, 1},
    {"divide 32", CODE("\x31\xd2\xf7\xf1\xeb\xfa"), NOWHERE, 0, 0, 0, 1},
    {"floating point", CODE("\xf2\x0f\x59\xc0\xeb\xfa"), NOWHERE, 0, 0, 0, 1},
    {"floating division", CODE("\xf2\x0f\x5e\xc0\xeb\xfa"), NOWHERE, 0, 0, 0, 1},
    {"chase in L1", CODE("\x48\x8b\x00\xeb\xfb"), ONE_PLACE, 1, 0, 0, 1},
    {"chase in L2", CODE("\x48\x8b\x00\xeb\xfb"), LINES_64K, 1, 0, 0, 1},
    {"chase in L3", CODE("\x48\x8b\x00\xeb\xfb"), LINES_1M, 1, 0, 0, 1},
    {"chase in memory", CODE("\x48\x8b\x00\xeb\xfb"), LINES_64M, 1, 0, 0, 1},
    {"chase over pages", CODE("\x48\x8b\x00\xeb\xfb"), PAGES, 1, 0, 0, 1},
    {"independent loads", CODE("\x48\x8b\x03\xeb\xfb"), LINES_64M, 1, 0, 0, 1},
    {"stores", CODE("\x48\x89\x03\xeb\xfb"), LINES_64M, 0, 1, 0, 1},
    {"forward", CODE("\x48\x83\x00\x01\xeb\xfa"), ONE_PLACE, 1, 1, 0, 1},
    {"atomic", CODE("\xf0\x48\x83\x00\x01\xeb\xf9"), ONE_PLACE, 1, 1, 0, 1},
    {"branches", CODE("\x85\xc0\x75\x02"), NOWHERE, 0, 0, 1, 1},
    {"code", CODE("\x01\xc0\x01\xdb\xe9\xf7\x01\x00\x00"), NOWHERE, 0, 0, 0, 1500},
};

enum { KERNEL_COUNT = sizeof(kernels) / sizeof(kernels[0]) };

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t place(enum where where, uint64_t *random)
{
    const uint64_t r = next_random(random);

    switch (where) {
    case LINES_64K:
        return 0x100000 + r % 1024 * 64;
    case LINES_1M:
        return 0x1000000 + r % 16384 * 64;
    case LINES_64M:
        return 0x10000000 + r % 1048576 * 64;
    case PAGES:
        return 0x40000000 + r % 6144 * 4160;
    case NOWHERE:
    case ONE_PLACE:
    default:
        return 0x10000;
    }
}

static uint64_t cycles(const struct slw_sim_config *config, const struct kernel *k)
{
    struct feed_segment *f = calloc(k->copies + 1, sizeof(*f));
    struct slw_sim_core *core = feed_core(config);
    uint64_t random = 88172645463325252u;
    unsigned now = 0;

    assert_non_null(f);
    for (unsigned i = 0; i <= k->copies; i++)
        feed_segment(&f[i], config, 0x401000 + 512 * i, k->code, k->length,
                     &(struct slw_sim_access){0}, k->loads || k->stores);
    for (unsigned i = 0; i < ROUNDS; i++) {
        const uint64_t address = place(k->where, &random);
        struct slw_sim_access a[2] = {{.address = address, .bytes = 8, .is_store = !k->loads},
                                      {.address = address, .bytes = 8, .is_store = 1}};
        const unsigned next = k->random_branch      ? (unsigned)(next_random(&random) >> 40 & 1)
                              : now + 1 < k->copies ? now + 1
                                                    : 0;

        /* The branch kernel goes on at its own end, or elsewhere. */
        const struct slw_sim_segment fall = {.address = 0x401004};
        const struct slw_sim_segment *to =
            k->random_branch && !next ? &fall : &f[k->random_branch ? 1 : next].segment;

        slw_sim_step(core, &f[now].segment, a, (size_t)(k->loads + k->stores), to);
        now = k->random_branch ? 0 : next;
    }
    const uint64_t result = feed_totals(core).cycles;

    free(f);
    feed_release();
    return result;
}

static const char *const latencies[] = {
    "resteer_cycles",      "refill_cycles",        "mul_latency",       "div32_latency",
    "div32_busy",          "div64_latency",        "div64_busy",        "fp_latency",
    "fp_divide_latency",   "fp_divide_busy",       "locked_latency",    "forward_latency",
    "l1d_latency",         "l2_latency",           "l3_latency",        "memory_latency",
    "memory_line_cycles",  "stlb_latency",         "walk_latency",      "decode_switch",
    "vector_load_latency", "indexed_load_latency", "btb_second_cycles", "code_page_cycles",
};

static size_t index_of(const char *name)
{
    for (size_t i = 0; i < SLW_CORE_PARAMETER_COUNT; i++)
        if (strcmp(slw_core_parameter_name(i), name) == 0)
            return i;
    fail();
    return 0;
}

static void raising_a_latency_lowers_no_kernels_cycles(void **state)
{
    unsigned moved = 0;

    (void)state;
    for (size_t c = 0; c < slw_core_builtin_count(); c++) {
        const struct slw_sim_config config = feed_config(slw_core_builtin_name(c));

        for (unsigned k = 0; k < KERNEL_COUNT; k++) {
            const uint64_t before = cycles(&config, &kernels[k]);

            for (size_t l = 0; l < sizeof(latencies) / sizeof(latencies[0]); l++) {
                struct slw_sim_config raised = config;
                uint32_t *value = &((uint32_t *)&raised)[index_of(latencies[l])];

                *value += *value / 2 + 1;
                const uint64_t after = cycles(&raised, &kernels[k]);

                if (after < before)
                    print_error("%s, %s: %s raised, %llu cycles become %llu\n",
                                slw_core_builtin_name(c), kernels[k].name, latencies[l],
                                (unsigned long long)before, (unsigned long long)after);
                assert_true(after >= before);
                moved += after > before + before / 20;
            }
        }
    }
    assert_true(moved >= 15 * slw_core_builtin_count()); /* or the latencies mean nothing */
}

/* Instructions of all sorts, without branches; one of them ends the segment. */
static const struct {
    const char *bytes;
    size_t length;
} bodies[] = {
    {CODE("\x48\x01\xd8")},
    {CODE("\x48\x8b\x04\x25\x00\x00\x01\x00")},
    {CODE("\x48\x0f\xaf\xc3")},
    {CODE("\x48\xf7\xf1")},
    {CODE("\xf2\x0f\x58\xc1")},
    {CODE("\xc5\xf5\xef\xc2")},
    {CODE("\x48\x89\x18")},
    {CODE("\x48\x83\x00\x01")},
    {CODE("\xf0\x48\x0f\xb1\x0f")},
    {CODE("\x0f\xa2")},
    {CODE("\x66\x0f\x3a\x63\xc1\x0c")},
    {CODE("\x90")},
    {CODE("\xf3\xa4")},
    {CODE("\x0f\x31")},
};
static const struct {
    const char *bytes;
    size_t length;
} ends[] = {
    {CODE("\x74\x10")}, {CODE("\xeb\x10")}, {CODE("\xff\xe0")}, {CODE("\xe8\x10\x00\x00\x00")},
    {CODE("\xc3")},     {CODE("\x0f\x05")}, {CODE("\x90")},
};

enum { SEGMENTS = 64, MAX_CODE = 256 };

static size_t random_code(char *code, uint64_t *random)
{
    size_t length = 0;

    for (uint64_t i = next_random(random) % 12; i > 0; i--) {
        const size_t which = next_random(random) % (sizeof(bodies) / sizeof(bodies[0]));

        memcpy(code + length, bodies[which].bytes, bodies[which].length);
        length += bodies[which].length;
    }
    const size_t end = next_random(random) % (sizeof(ends) / sizeof(ends[0]));

    memcpy(code + length, ends[end].bytes, ends[end].length);
    return length + ends[end].length;
}

static void make_random(struct feed_segment *f, const struct slw_sim_config *config,
                        uint64_t address, uint64_t *random)
{
    char code[MAX_CODE];
    const size_t length = random_code(code, random);

    feed_segment(f, config, address, code, length, NULL, 0);
    /* As a carrier does that does not know which of them will access: none is simple. */
    for (uint32_t i = 0; i < f->segment.count; i++)
        f->instructions[i].is &= (uint8_t)~SLW_SIM_SIMPLE;
}

static size_t random_accesses(const struct feed_segment *f, struct slw_sim_access *a,
                              uint64_t *random)
{
    size_t count = 0;

    for (uint16_t i = 0; i < f->segment.count; i++)
        for (uint64_t k = next_random(random) % 3; k > 0; k--)
            a[count++] = (struct slw_sim_access){.address = next_random(random) % 100000000 * 8,
                                                 .index = i,
                                                 .bytes = 8,
                                                 .is_store = next_random(random) >> 50 & 1};
    return count;
}

static struct slw_sim_totals run_random(const struct slw_sim_config *config, uint64_t seed,
                                        bool sampled)
{
    static struct feed_segment f[SEGMENTS];
    struct slw_sim_access a[FEED_MAX_INSTRUCTIONS * 2];
    struct slw_sim_core *core = feed_core(config);
    uint64_t random = seed;
    unsigned now = 0;

    for (unsigned i = 0; i < SEGMENTS; i++)
        make_random(&f[i], config, 0x401000 + 300 * i, &random);
    if (sampled)
        slw_sim_sample(core, 500, 100);
    for (unsigned i = 0; i < 4000; i++) {
        const unsigned next = (unsigned)(next_random(&random) % SEGMENTS);
        const size_t count = random_accesses(&f[now], a, &random);

        slw_sim_step(core, &f[now].segment, a, count, i % 1000 == 999 ? NULL : &f[next].segment);
        now = next;
    }
    const struct slw_sim_totals t = feed_totals(core); /* aborts when the slots do not sum up */

    feed_release();
    return t;
}

static void slots_of_anything_sum_up_and_repeat(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const struct slw_sim_config config =
            feed_config(slw_core_builtin_name(seed % slw_core_builtin_count()));
        const struct slw_sim_totals once = run_random(&config, seed * 7919, seed % 3 == 0);
        const struct slw_sim_totals again = run_random(&config, seed * 7919, seed % 3 == 0);
        uint64_t sum = 0;

        for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++)
            sum += once.slots[i];
        if (sum != once.cycles * config.width)
            print_error("seed %llu\n", (unsigned long long)seed);
        assert_int_equal(sum, once.cycles * config.width);
        assert_memory_equal(&once, &again, sizeof(once));
        assert_true(once.cycles > 1000);
    }
}

/* What each instruction accesses, by what the decoder says of it; now and then once more. */
static size_t likely_accesses(const struct feed_segment *f, struct slw_sim_access *a,
                              uint64_t *random)
{
    size_t count = 0;

    for (uint16_t i = 0; i < f->segment.count; i++) {
        const unsigned is = f->instructions[i].is;

        if ((is & SLW_SIM_LOADS_DATA) || next_random(random) % 16 == 0)
            a[count++] = (struct slw_sim_access){.index = i, .bytes = 8};
        if (is & SLW_SIM_STORES_DATA)
            a[count++] = (struct slw_sim_access){.index = i, .bytes = 8, .is_store = 1};
    }
    return count;
}

/* Of a segment whose executions all access the same, what each instruction does is decided once. */
static struct slw_sim_totals run_known(const struct slw_sim_config *config, uint64_t seed,
                                       bool is_fixed)
{
    static struct feed_segment f[SEGMENTS];
    static struct slw_sim_access a[SEGMENTS][FEED_MAX_INSTRUCTIONS * 2];
    struct slw_sim_core *core = feed_core(config);
    size_t counts[SEGMENTS];
    uint64_t random = seed;
    unsigned now = 0;

    for (unsigned i = 0; i < SEGMENTS; i++) {
        char code[MAX_CODE];
        const size_t length = random_code(code, &random);

        feed_segment(&f[i], config, 0x401000 + 300 * i, code, length, NULL, 0);
        counts[i] = likely_accesses(&f[i], a[i], &random);
        feed_segment(&f[i], config, 0x401000 + 300 * i, code, length, a[i], counts[i]);
        f[i].segment.is_fixed = is_fixed;
    }
    for (unsigned i = 0; i < 4000; i++) {
        const unsigned next = (unsigned)(next_random(&random) % SEGMENTS);

        for (size_t k = 0; k < counts[now]; k++)
            a[now][k].address = next_random(&random) % 300 * 8;
        slw_sim_step(core, &f[now].segment, a[now], counts[now], &f[next].segment);
        now = next;
    }
    const struct slw_sim_totals t = feed_totals(core);

    feed_release();
    return t;
}

static void what_is_decided_once_is_what_is_decided_each_time(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const struct slw_sim_config config =
            feed_config(slw_core_builtin_name(seed % slw_core_builtin_count()));
        const struct slw_sim_totals once = run_known(&config, seed * 7919, true);
        const struct slw_sim_totals each = run_known(&config, seed * 7919, false);

        if (memcmp(&once, &each, sizeof(once)) != 0)
            print_error("seed %llu\n", (unsigned long long)seed);
        assert_memory_equal(&once, &each, sizeof(once));
        assert_true(once.events[SLW_SIM_FORWARDS] > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_decided_once_is_what_is_decided_each_time),
        cmocka_unit_test(raising_a_latency_lowers_no_kernels_cycles),
        cmocka_unit_test(slots_of_anything_sum_up_and_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
