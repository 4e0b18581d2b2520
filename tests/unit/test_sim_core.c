/* SPDX-License-Identifier: MIT */
/* The simulated core, fed by hand: caches, predictors, waiting, calling contexts, counts. */
#include "sim/cache_int.h"
#include "tests/sim_feed.h"
#include "tests/unit/cmocka_int.h"

#define AT 0x401000

/* Run one segment in a loop. */
static struct slw_sim_totals loop(const struct slw_sim_config *config, struct feed_segment *f,
                                  const struct slw_sim_access *accesses, size_t count,
                                  unsigned rounds)
{
    struct slw_sim_core *core = feed_core(config);

    for (unsigned i = 0; i < rounds; i++)
        slw_sim_step(core, &f->segment, accesses, count, i + 1 < rounds ? &f->segment : NULL);
    return feed_totals(core);
}

static void the_least_recent_line_goes(void **state)
{
    struct slw_sim_cache c;
    slw_sim_hint hint = 0;

    (void)state;
    slw_sim_cache_init(&c, &feed_host, 2, 2);
    assert_false(slw_sim_cache_touch(&c, 10, 0, &hint, 1));
    assert_false(slw_sim_cache_touch(&c, 20, 0, &hint, 2));
    assert_true(slw_sim_cache_touch(&c, 10, 0, &hint, 3));
    assert_false(slw_sim_cache_touch(&c, 30, 0, &hint, 4)); /* 20 goes, 10 was used after it */
    assert_true(slw_sim_cache_has(&c, 10, 0));
    assert_false(slw_sim_cache_has(&c, 20, 0));
    assert_false(slw_sim_cache_has(&c, 10, 1)); /* another set */
}

static void moments_go_round(void **state)
{
    struct slw_sim_cache c;
    slw_sim_hint hint = 0;

    (void)state;
    slw_sim_cache_init(&c, &feed_host, 1, 2);
    (void)slw_sim_cache_touch(&c, 1, 0, &hint, UINT32_MAX - 1);
    (void)slw_sim_cache_touch(&c, 2, 0, &hint, UINT32_MAX);
    assert_true(slw_sim_cache_touch(&c, 1, 0, &hint, 0));
    assert_false(slw_sim_cache_touch(&c, 3, 0, &hint, 1));
    assert_true(slw_sim_cache_has(&c, 1, 0));
    assert_false(slw_sim_cache_has(&c, 2, 0));
}

/* Wherever a hint points, the same is found, and it is right afterwards. */
static void a_wrong_hint_changes_nothing(void **state)
{
    struct slw_sim_cache guided, misled;
    slw_sim_hint hints[16] = {0};
    uint32_t chance = 1;

    (void)state;
    slw_sim_cache_init(&guided, &feed_host, 4, 3);
    slw_sim_cache_init(&misled, &feed_host, 4, 3);
    for (uint32_t now = 1; now < 5000; now++) {
        chance = chance * 1664525 + 1013904223;
        const uint64_t key = chance >> 28;
        slw_sim_hint wrong = (slw_sim_hint)(chance % 12);

        assert_int_equal(slw_sim_cache_touch(&guided, key, key, &hints[key], now),
                         slw_sim_cache_touch(&misled, key, key, &wrong, now));
        assert_true(slw_sim_cache_is_at(&misled, key, wrong));
    }
}

static void a_refresh_keeps_and_adds_nothing(void **state)
{
    struct slw_sim_cache c;
    slw_sim_hint hint = 0;

    (void)state;
    slw_sim_cache_init(&c, &feed_host, 1, 2);
    (void)slw_sim_cache_touch(&c, 1, 0, &hint, 1);
    (void)slw_sim_cache_touch(&c, 2, 0, &hint, 2);
    assert_true(slw_sim_cache_refresh(&c, 1, 0, &hint, 3));
    assert_false(slw_sim_cache_refresh(&c, 9, 0, &hint, 4));
    (void)slw_sim_cache_touch(&c, 3, 0, &hint, 5);
    assert_true(slw_sim_cache_has(&c, 1, 0));
    assert_false(slw_sim_cache_has(&c, 2, 0));
    assert_false(slw_sim_cache_has(&c, 9, 0));
}

static void a_chain_of_multiplications_takes_its_latency(void **state)
{
    const struct slw_sim_config config = feed_config("haswell");
    struct feed_segment f;

    (void)state;
    FEED(&f, &config, AT, "\x48\x0f\xaf\xc0\xeb\xfa", NULL, 0); /* imul %rax,%rax; jmp */
    const struct slw_sim_totals t = loop(&config, &f, NULL, 0, 10000);

    assert_in_range(t.cycles, 29900, 30600); /* allocated, not yet retired at the end */
    assert_true(feed_share(&t, "backend.core") > 0.7);
}

static void independent_additions_are_limited_by_their_ports(void **state)
{
    const struct slw_sim_config config = feed_config("zen4");
    struct feed_segment f;

    (void)state;
    /* six additions to six registers and a jump: four ports */
    FEED(&f, &config, AT, "\x01\xc0\x01\xdb\x01\xc9\x01\xd2\x01\xf6\x01\xff\xeb\xf2", NULL, 0);
    const struct slw_sim_totals t = loop(&config, &f, NULL, 0, 10000);

    assert_in_range(t.cycles, 15000, 18500); /* 6 / 4, and the jump shares two of the ports */
}

static void a_dependent_load_takes_the_latency_of_its_level(void **state)
{
    const struct slw_sim_config config = feed_config("haswell");
    const struct slw_sim_access access = {.address = 0x10000, .index = 0, .bytes = 8};
    struct feed_segment f;

    (void)state;
    FEED(&f, &config, AT, "\x48\x8b\x00\xeb\xfb", &access, 1); /* mov (%rax),%rax; jmp */
    const struct slw_sim_totals t = loop(&config, &f, &access, 1, 10000);

    assert_in_range(t.cycles, 40000, 40600);
    assert_int_equal(t.events[SLW_SIM_L1D_MISSES], 1);
    assert_true(feed_share(&t, "backend.memory.l1") > 0.7);
}

static void what_was_stored_is_loaded_after_the_forwarding_latency(void **state)
{
    const struct slw_sim_config config = feed_config("haswell");
    const struct slw_sim_access accesses[] = {{.address = 0x10000, .bytes = 8},
                                              {.address = 0x10000, .bytes = 8, .is_store = 1}};
    struct feed_segment f;

    (void)state;
    FEED(&f, &config, AT, "\x48\x83\x00\x01\xeb\xfa", accesses, 2); /* addq $1,(%rax); jmp */
    const struct slw_sim_totals t = loop(&config, &f, accesses, 2, 10000);

    /* Without forwarding every round would start with a hit in the L1d and nothing would wait. */
    assert_in_range(t.cycles, 10000 * (config.forward_latency + 1), 10000 * 7);
    assert_true(t.events[SLW_SIM_FORWARDS] > 9900);
}

/* A core that renames memory does not wait for what was stored from a general register, and waits
 * like any other where it was a byte, or a vector register. */
static void memory_is_renamed_between_general_registers(void **state)
{
    const struct slw_sim_config config = feed_config("zen4");
    const struct slw_sim_access same[] = {{.address = 0x10000, .bytes = 8},
                                          {.address = 0x10000, .bytes = 8, .is_store = 1}};
    const struct slw_sim_access byte[] = {{.address = 0x10000, .bytes = 1},
                                          {.address = 0x10000, .bytes = 1, .is_store = 1}};
    struct feed_segment f;

    (void)state;
    FEED(&f, &config, AT, "\x48\x83\x00\x01\xeb\xfa", same, 2); /* addq $1,(%rax); jmp */
    const struct slw_sim_totals renamed = loop(&config, &f, same, 2, 10000);

    FEED(&f, &config, AT, "\x80\x00\x01\xeb\xfb", byte, 2); /* addb $1,(%rax); jmp */
    const struct slw_sim_totals forwarded = loop(&config, &f, byte, 2, 10000);

    assert_in_range(renamed.cycles, 10000, 21000);
    assert_in_range(forwarded.cycles, 10000 * (config.forward_latency + 1), 81000);
    assert_true(renamed.events[SLW_SIM_FORWARDS] > 9900);
}

static void a_load_into_a_vector_register_takes_longer(void **state)
{
    const struct slw_sim_config config = feed_config("zen4");
    const struct slw_sim_access access = {.address = 0x10000, .bytes = 8};
    struct feed_segment f;

    (void)state;
    /* movq (%rax),%xmm0; movq %xmm0,%rax; jmp */
    FEED(&f, &config, AT, "\x66\x48\x0f\x6e\x00\x66\x48\x0f\x7e\xc0\xeb\xf4", &access, 1);
    const struct slw_sim_totals t = loop(&config, &f, &access, 1, 10000);
    const uint64_t round = config.vector_load_latency + 2;

    assert_true(config.vector_load_latency > config.l1d_latency);
    /* Loads of the last rounds are on their way at the end. */
    assert_in_range(t.cycles, (10000 - config.load_queue_entries) * round, 10000 * round + 600);
}

/* So many jumps, each to the next. */
static uint64_t cycles_of_jumps(const struct slw_sim_config *config, unsigned count)
{
    static struct feed_segment jumps[3000];
    struct slw_sim_core *core = feed_core(config);

    for (unsigned i = 0; i < count; i++) /* jmp +1 */
        FEED(&jumps[i], config, AT + 3 * i, "\xeb\x01", NULL, 0);
    for (unsigned i = 0; i < 10 * count; i++) {
        if (i == 5 * count)
            slw_sim_restart(core);
        slw_sim_step(core, &jumps[i % count].segment, NULL, 0, &jumps[(i + 1) % count].segment);
    }
    return feed_totals(core).cycles / 5;
}

static void what_only_the_second_level_of_the_btb_knows_is_predicted_later(void **state)
{
    const struct slw_sim_config config = feed_config("zen4");

    (void)state;
    const uint64_t few = cycles_of_jumps(&config, 1000);
    const uint64_t many = cycles_of_jumps(&config, 3000);

    assert_in_range(few, 1000, 1100);
    assert_in_range(many, 3000 * (1 + config.btb_second_cycles),
                    3000 * (1 + config.btb_second_cycles) + 300);
}

/* A conditional jump over a nop, taken or not. */
static struct slw_sim_totals branch(const struct slw_sim_config *config, const uint8_t *taken,
                                    unsigned count)
{
    struct slw_sim_core *core = feed_core(config);
    struct feed_segment jump, target, fall;

    FEED(&jump, config, AT, "\x85\xc0\x75\x02", NULL, 0);   /* test; jne +2 */
    FEED(&fall, config, AT + 4, "\x66\x90", NULL, 0);       /* nop */
    FEED(&target, config, AT + 6, "\x90\xeb\xf7", NULL, 0); /* nop; jmp back */
    for (unsigned i = 0; i < count; i++) {
        slw_sim_step(core, &jump.segment, NULL, 0, taken[i] ? &target.segment : &fall.segment);
        if (!taken[i])
            slw_sim_step(core, &fall.segment, NULL, 0, &target.segment);
        slw_sim_step(core, &target.segment, NULL, 0, &jump.segment);
    }
    return feed_totals(core);
}

static void a_pattern_is_learned_and_chance_is_not(void **state)
{
    const struct slw_sim_config config = feed_config("skylake");
    static uint8_t pattern[20000], chance[20000];
    uint64_t random = 88172645463325252u;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        pattern[i] = i % 7 == 3;
        chance[i] = random >> 40 & 1;
    }
    const struct slw_sim_totals learned = branch(&config, pattern, 20000);
    const struct slw_sim_totals guessed = branch(&config, chance, 20000);

    assert_true(learned.events[SLW_SIM_CONDITIONAL_MISSES] < 200);
    assert_in_range(guessed.events[SLW_SIM_CONDITIONAL_MISSES], 8000, 12000);
    assert_true(feed_share(&guessed, "bad_speculation") > 0.7);
}

/* An indirect jump that goes to one place, behind a branch that goes anywhere: the path to it is
 * always another one. */
static void where_a_jump_always_goes_is_known_on_any_path(void **state)
{
    const struct slw_sim_config config = feed_config("zen4");
    struct slw_sim_core *core = feed_core(&config);
    struct feed_segment chance, fall, jump, back;
    uint64_t random = 88172645463325252u;

    (void)state;
    FEED(&chance, &config, AT, "\x85\xc0\x75\x02", NULL, 0); /* test; jne +2 */
    FEED(&fall, &config, AT + 4, "\x66\x90", NULL, 0);
    FEED(&jump, &config, AT + 6, "\xff\xe0", NULL, 0); /* jmp *%rax */
    FEED(&back, &config, AT + 256, "\xe9\xfb\xfe\xff\xff", NULL, 0);
    for (unsigned i = 0; i < 5000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        const bool taken = random >> 40 & 1;

        slw_sim_step(core, &chance.segment, NULL, 0, taken ? &jump.segment : &fall.segment);
        if (!taken)
            slw_sim_step(core, &fall.segment, NULL, 0, &jump.segment);
        slw_sim_step(core, &jump.segment, NULL, 0, &back.segment);
        slw_sim_step(core, &back.segment, NULL, 0, &chance.segment);
    }
    assert_in_range(feed_totals(core).events[SLW_SIM_INDIRECT_MISSES], 1, 5);
}

/* A jump there and one back, to another page or not. */
static uint64_t cycles_of_jumps_over(const struct slw_sim_config *config, unsigned bytes)
{
    struct slw_sim_core *core = feed_core(config);
    struct feed_segment there, back;
    char to[] = "\xe9....";
    const uint32_t distance = bytes - 5;
    const uint32_t home = 0u - bytes - 5;

    memcpy(to + 1, &distance, sizeof(distance));
    FEED(&there, config, AT, to, NULL, 0);
    memcpy(to + 1, &home, sizeof(home));
    FEED(&back, config, AT + bytes, to, NULL, 0);
    for (unsigned i = 0; i < 2000; i++) {
        slw_sim_step(core, &there.segment, NULL, 0, &back.segment);
        slw_sim_step(core, &back.segment, NULL, 0, &there.segment);
    }
    return feed_totals(core).cycles;
}

static void code_of_another_page_is_predicted_later(void **state)
{
    const struct slw_sim_config config = feed_config("zen4");

    (void)state;
    assert_true(config.code_page_cycles > 0);
    assert_in_range(cycles_of_jumps_over(&config, 1024), 4000, 5000);
    assert_in_range(cycles_of_jumps_over(&config, 65536 + 1024),
                    4000 * (1 + config.code_page_cycles),
                    4000 * (1 + config.code_page_cycles) + 1000);
}

struct calls {
    struct slw_sim_config config;
    struct slw_sim_core *core;
    struct feed_segment main, callee, stub, back;
};

static const struct slw_sim_access pushed = {.address = 0x7ff0, .bytes = 8, .is_store = 1};
static const struct slw_sim_access popped = {.address = 0x7ff0, .bytes = 8};

static void make_calls(struct calls *c)
{
    c->config = feed_config("haswell");
    c->core = feed_core(&c->config);
    FEED(&c->main, &c->config, AT, "\xe8\xfb\x0f\x00\x00", &pushed, 1); /* call 0x402000 */
    FEED(&c->callee, &c->config, 0x402000, "\x90\xc3", &(struct slw_sim_access){.index = 1}, 1);
    FEED(&c->stub, &c->config, 0x402000, "\xff\xe0", NULL, 0); /* jmp *%rax */
    FEED(&c->back, &c->config, AT + 5, "\x90\xeb\xf8", NULL, 0);
    c->callee.segment.object = 7;
}

static const struct slw_sim_node *child(const struct calls *c)
{
    return slw_sim_root(c->core)->child;
}

static void a_call_makes_a_context_and_a_return_leaves_it(void **state)
{
    const struct slw_sim_access ret = {.address = 0x7ff0, .index = 1, .bytes = 8};
    struct calls c;

    (void)state;
    make_calls(&c);
    for (unsigned i = 0; i < 100; i++) {
        slw_sim_step(c.core, &c.main.segment, &pushed, 1, &c.callee.segment);
        slw_sim_step(c.core, &c.callee.segment, &ret, 1, &c.back.segment);
        slw_sim_step(c.core, &c.back.segment, NULL, 0, &c.main.segment);
    }
    const struct slw_sim_totals t = feed_totals(c.core);

    assert_int_equal(t.node_count, 2);
    assert_int_equal(child(&c)->function, 0x402000);
    assert_int_equal(child(&c)->object, 7);
    assert_int_equal(child(&c)->instructions, 200);
    assert_int_equal(slw_sim_root(c.core)->instructions, 300);
    assert_int_equal(t.events[SLW_SIM_RETURN_MISSES], 0);
}

static void a_long_jump_pops_what_it_jumped_over(void **state)
{
    const struct slw_sim_access deeper = {.address = 0x7fe0, .bytes = 8, .is_store = 1};
    const struct slw_sim_access above = {.address = 0x8000, .index = 1, .bytes = 8};
    struct calls c;

    (void)state;
    make_calls(&c);
    slw_sim_step(c.core, &c.main.segment, &pushed, 1, &c.main.segment);
    slw_sim_step(c.core, &c.main.segment, &deeper, 1, &c.callee.segment);
    /* A return from above both frames: what runs then is no longer inside them. */
    slw_sim_step(c.core, &c.callee.segment, &above, 1, &c.back.segment);
    slw_sim_step(c.core, &c.back.segment, NULL, 0, NULL);
    assert_int_equal(slw_sim_root(c.core)->instructions, 1 + 2);
}

static void a_stub_is_not_what_was_called(void **state)
{
    struct calls c;
    struct feed_segment real;

    (void)state;
    make_calls(&c);
    FEED(&real, &c.config, 0x403000, "\x90\xc3", &popped, 1);
    slw_sim_step(c.core, &c.main.segment, &pushed, 1, &c.stub.segment);
    slw_sim_step(c.core, &c.stub.segment, NULL, 0, &real.segment);
    slw_sim_step(c.core, &real.segment, &(struct slw_sim_access){.address = 0x7ff0, .index = 1}, 1,
                 &c.back.segment);
    assert_int_equal(child(&c)->function, 0x403000);
    assert_int_equal(child(&c)->instructions, 2);
    assert_int_equal(child(&c)->sibling->function, 0x402000);
    assert_int_equal(child(&c)->sibling->instructions, 1);
}

static void deep_recursion_is_cut_and_counted(void **state)
{
    struct calls c;
    unsigned nodes = 0;

    (void)state;
    make_calls(&c);
    for (unsigned i = 0; i < 10000; i++) {
        const struct slw_sim_access push = {
            .address = 0x7fff0000u - 8 * i, .bytes = 8, .is_store = 1};

        slw_sim_step(c.core, &c.main.segment, &push, 1, &c.main.segment);
    }
    const struct slw_sim_totals t = feed_totals(c.core);

    for (const struct slw_sim_node *n = slw_sim_root(c.core); n; n = slw_sim_next_node(n))
        nodes++;
    assert_int_equal(nodes, SLW_SIM_MAX_FRAMES + 1);
    assert_int_equal(t.node_count, nodes);
    assert_int_equal(t.calls_unfollowed, 10000 - SLW_SIM_MAX_FRAMES);
}

static void a_restart_forgets_counts_only(void **state)
{
    const struct slw_sim_config config = feed_config("haswell");
    const struct slw_sim_access access = {.address = 0x10000, .index = 0, .bytes = 8};
    struct slw_sim_core *core = feed_core(&config);
    struct feed_segment f;

    (void)state;
    FEED(&f, &config, AT, "\x48\x8b\x00\xeb\xfb", &access, 1);
    slw_sim_step(core, &f.segment, &access, 1, &f.segment);
    slw_sim_restart(core);
    slw_sim_step(core, &f.segment, &access, 1, &f.segment);
    const struct slw_sim_totals t = feed_totals(core);

    assert_int_equal(t.events[SLW_SIM_INSTRUCTIONS], 2);
    assert_int_equal(t.events[SLW_SIM_L1D_MISSES], 0); /* the line is still there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_least_recent_line_goes, feed_tear_down),
        cmocka_unit_test_teardown(moments_go_round, feed_tear_down),
        cmocka_unit_test_teardown(a_wrong_hint_changes_nothing, feed_tear_down),
        cmocka_unit_test_teardown(a_refresh_keeps_and_adds_nothing, feed_tear_down),
        cmocka_unit_test_teardown(a_chain_of_multiplications_takes_its_latency, feed_tear_down),
        cmocka_unit_test_teardown(independent_additions_are_limited_by_their_ports, feed_tear_down),
        cmocka_unit_test_teardown(a_dependent_load_takes_the_latency_of_its_level, feed_tear_down),
        cmocka_unit_test_teardown(what_was_stored_is_loaded_after_the_forwarding_latency,
                                  feed_tear_down),
        cmocka_unit_test_teardown(memory_is_renamed_between_general_registers, feed_tear_down),
        cmocka_unit_test_teardown(a_load_into_a_vector_register_takes_longer, feed_tear_down),
        cmocka_unit_test_teardown(what_only_the_second_level_of_the_btb_knows_is_predicted_later,
                                  feed_tear_down),
        cmocka_unit_test_teardown(a_pattern_is_learned_and_chance_is_not, feed_tear_down),
        cmocka_unit_test_teardown(where_a_jump_always_goes_is_known_on_any_path, feed_tear_down),
        cmocka_unit_test_teardown(code_of_another_page_is_predicted_later, feed_tear_down),
        cmocka_unit_test_teardown(a_call_makes_a_context_and_a_return_leaves_it, feed_tear_down),
        cmocka_unit_test_teardown(a_long_jump_pops_what_it_jumped_over, feed_tear_down),
        cmocka_unit_test_teardown(a_stub_is_not_what_was_called, feed_tear_down),
        cmocka_unit_test_teardown(deep_recursion_is_cut_and_counted, feed_tear_down),
        cmocka_unit_test_teardown(a_restart_forgets_counts_only, feed_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
