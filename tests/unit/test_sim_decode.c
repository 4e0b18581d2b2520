/* SPDX-License-Identifier: MIT */
/* The decoder on instructions written out by hand, with what they read, write and are. */
#include "sim/core.h"
#include "tests/unit/cmocka_int.h"

#include <string.h>

enum { A = 0, C = 1, D = 2, B = 3, SP = 4, SI = 6, DI = 7, X0 = 16 };

static struct slw_sim_instruction decoded(const char *bytes, size_t length)
{
    struct slw_sim_instruction in;

    assert_int_equal(slw_sim_decode((const uint8_t *)bytes, length, 0x1000, &in), length);
    assert_int_equal(in.length, length);
    assert_int_equal(in.address, 0x1000);
    return in;
}

#define DECODED(text) decoded(text, sizeof(text) - 1)

static bool reads(const struct slw_sim_instruction *in, uint8_t number)
{
    return memchr(in->sources, number, in->source_count) != NULL;
}

static bool writes(const struct slw_sim_instruction *in, uint8_t number)
{
    return in->targets[0] == number || in->targets[1] == number;
}

static void an_addition_reads_and_writes_its_registers(void **state)
{
    const struct slw_sim_instruction in = DECODED("\x48\x01\xd8"); /* add %rbx, %rax */

    (void)state;
    assert_true(reads(&in, A) && reads(&in, B) && writes(&in, A) && !writes(&in, B));
    assert_true(in.is & SLW_SIM_WRITES_FLAGS);
    assert_int_equal(in.unit, SLW_SIM_UNIT_ALU);
}

static void a_load_has_an_address_and_no_work(void **state)
{
    const struct slw_sim_instruction in = DECODED("\x4a\x8b\x44\xe3\x10"); /* mov 16(%rbx,%r12,8) */

    (void)state;
    assert_int_equal(in.unit, SLW_SIM_UNIT_MOVE);
    assert_int_equal(in.is, SLW_SIM_LOADS_DATA);
    assert_int_equal(in.address_count, 2);
    assert_int_equal(in.addresses[0], B);
    assert_int_equal(in.addresses[1], 12);
    assert_int_equal(in.source_count, 0);
    assert_true(writes(&in, A));
}

static void an_addition_to_memory_loads_and_stores(void **state)
{
    const struct slw_sim_instruction in = DECODED("\x48\x83\x07\x01"); /* addq $1, (%rdi) */

    (void)state;
    assert_true(in.is & SLW_SIM_LOADS_DATA);
    assert_true(in.is & SLW_SIM_STORES_DATA);
    assert_int_equal(in.address_count, 1);
    assert_int_equal(in.addresses[0], DI);
}

static void a_zeroing_idiom_depends_on_nothing(void **state)
{
    const struct slw_sim_instruction general = DECODED("\x31\xc0");    /* xor %eax, %eax */
    const struct slw_sim_instruction vector = DECODED("\x0f\x57\xc0"); /* xorps */
    const struct slw_sim_instruction other = DECODED("\x31\xd8");      /* xor %ebx, %eax */

    (void)state;
    assert_int_equal(general.source_count, 0);
    assert_int_equal(general.unit, SLW_SIM_UNIT_NONE);
    assert_int_equal(vector.source_count, 0);
    assert_true(writes(&vector, X0));
    assert_int_equal(other.source_count, 2);
}

static void branches_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(DECODED("\x74\x05").branch, SLW_SIM_CONDITIONAL);
    assert_int_equal(DECODED("\x0f\x85\x01\x02\x03\x04").branch, SLW_SIM_CONDITIONAL);
    assert_int_equal(DECODED("\xeb\x05").branch, SLW_SIM_JUMP);
    assert_int_equal(DECODED("\xff\xe0").branch, SLW_SIM_JUMP_INDIRECT);
    assert_int_equal(DECODED("\xe8\x01\x02\x03\x04").branch, SLW_SIM_CALL);
    assert_int_equal(DECODED("\xff\x15\x01\x02\x03\x04").branch, SLW_SIM_CALL_INDIRECT);
    assert_int_equal(DECODED("\xf3\xc3").branch, SLW_SIM_RETURN);
    assert_int_equal(DECODED("\x0f\x05").branch, SLW_SIM_SYSCALL);
    assert_int_equal(DECODED("\xf3\x0f\x1e\xfa").branch, SLW_SIM_NO_BRANCH); /* endbr64 */
}

static void divisions_differ_by_width(void **state)
{
    (void)state;
    assert_int_equal(DECODED("\xf7\xf1").unit, SLW_SIM_UNIT_DIV32);
    assert_int_equal(DECODED("\x48\xf7\xf1").unit, SLW_SIM_UNIT_DIV64);
    assert_int_equal(DECODED("\x48\x0f\xaf\xc0").unit, SLW_SIM_UNIT_MUL);
}

static void the_third_operand_of_vex_is_a_source(void **state)
{
    const struct slw_sim_instruction in =
        DECODED("\xc5\xe9\xfe\xd9"); /* vpaddd %xmm1,%xmm2,%xmm3 */

    (void)state;
    assert_true(reads(&in, X0 + 1) && reads(&in, X0 + 2) && !reads(&in, X0 + 3));
    assert_true(writes(&in, X0 + 3));
}

static void second_bytes_of_registers_are_those_registers(void **state)
{
    const struct slw_sim_instruction legacy = DECODED("\x88\xe0");  /* mov %ah, %al */
    const struct slw_sim_instruction rex = DECODED("\x40\x88\xe0"); /* mov %spl, %al */

    (void)state;
    assert_true(reads(&legacy, A));
    assert_true(reads(&rex, SP));
}

static void immediates_count_to_the_length(void **state)
{
    (void)state;
    (void)DECODED("\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08"); /* mov $8 bytes, %rax */
    (void)DECODED("\x66\xb8\x01\x02");                         /* mov $2 bytes, %ax */
    (void)DECODED("\xf7\x05\x01\x02\x03\x04\x05\x06\x07\x08"); /* testl $4 bytes, (%rip) */
    (void)DECODED("\xf7\x1d\x01\x02\x03\x04");                 /* negl (%rip) */
    (void)DECODED("\xc4\xe3\x7d\x39\xc1\x01");                 /* vextracti128 */
}

static void cut_short_is_no_instruction(void **state)
{
    struct slw_sim_instruction in;

    (void)state;
    for (size_t length = 0; length < 7; length++)
        assert_int_equal(
            slw_sim_decode((const uint8_t *)"\x48\x81\xc3\x01\x02\x03\x04", length, 0, &in), 0);
    assert_int_equal(slw_sim_decode((const uint8_t *)"\x06", 1, 0, &in), 0);
    assert_int_equal(slw_sim_decode((const uint8_t *)"ffffffffffffffff\x90", 17, 0, &in), 0);
}

static void a_rep_is_marked(void **state)
{
    const struct slw_sim_instruction in = DECODED("\xf3\xa4"); /* rep movsb */

    (void)state;
    assert_true(in.is & SLW_SIM_REPEATS);
    assert_true(in.is & SLW_SIM_LOADS_DATA);
    assert_true(in.is & SLW_SIM_STORES_DATA);
    assert_true(writes(&in, DI) && writes(&in, SI));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_addition_reads_and_writes_its_registers),
        cmocka_unit_test(a_load_has_an_address_and_no_work),
        cmocka_unit_test(an_addition_to_memory_loads_and_stores),
        cmocka_unit_test(a_zeroing_idiom_depends_on_nothing),
        cmocka_unit_test(branches_are_told_apart),
        cmocka_unit_test(divisions_differ_by_width),
        cmocka_unit_test(the_third_operand_of_vex_is_a_source),
        cmocka_unit_test(second_bytes_of_registers_are_those_registers),
        cmocka_unit_test(immediates_count_to_the_length),
        cmocka_unit_test(cut_short_is_no_instruction),
        cmocka_unit_test(a_rep_is_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
