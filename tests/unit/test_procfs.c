/* SPDX-License-Identifier: MIT */
#include "tests/unit/cmocka_int.h"

#include "collector/control.h"
#include "collector/procfs.h"

#include <string.h>
#include <sys/mman.h>

static bool parse(const char *line, struct slw_proc_mapping *m)
{
    return slw_proc_parse_mapping(line, strlen(line), m);
}

static void a_maps_line_is_taken_apart(void **state)
{
    struct slw_proc_mapping m;

    (void)state;
    assert_true(
        parse("55b8761e0000-55b8761e5000 r-xp 00002000 fe:01 247766       /usr/bin/a b", &m));
    assert_int_equal(m.start, 0x55b8761e0000);
    assert_int_equal(m.end, 0x55b8761e5000);
    assert_int_equal(m.prot, PROT_READ | PROT_EXEC);
    assert_int_equal(m.flags, MAP_PRIVATE);
    assert_int_equal(m.offset, 0x2000);
    assert_int_equal(m.major, 0xfe);
    assert_int_equal(m.minor, 1);
    assert_int_equal(m.inode, 247766);
    assert_int_equal(m.name_length, strlen("/usr/bin/a b"));
    assert_memory_equal(m.name, "/usr/bin/a b", m.name_length);
    assert_true(parse("ffffffffff600000-ffffffffff601000 --xs 00000000 00:00 0 ", &m));
    assert_int_equal(m.name_length, 0);
    assert_int_equal(m.flags, MAP_SHARED);
    assert_int_equal(m.prot, PROT_EXEC);
}

static void what_is_no_maps_line_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "-",
        "1000-",
        "1000-2000",
        "1000-2000 r-x",
        "2000-1000 r-xp 0 0:0 0",
        "1000-1000 r-xp 0 0:0 0",
        "g000-2000 r-xp 0 0:0 0",
        "1000-2000 r-xp 0 0:0 x",
        "11111111111111111-2000 r-xp 0 0:0 0",
        "1000-2000 r-xp 0 0:0 99999999999999999999",
    };
    struct slw_proc_mapping m;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(parse(bad[i], &m));
}

static void a_cpu_list_with_gaps(void **state)
{
    int cpus[8];

    (void)state;
    assert_int_equal(slw_proc_parse_cpu_list("0-2,5,7-8\n", cpus, 8), 6);
    assert_int_equal(cpus[2], 2);
    assert_int_equal(cpus[3], 5);
    assert_int_equal(cpus[5], 8);
    assert_int_equal(slw_proc_parse_cpu_list("0", cpus, 8), 1);
    assert_int_equal(slw_proc_parse_cpu_list("0-7", cpus, 8), 8);
}

static void bad_cpu_lists_have_no_cpus(void **state)
{
    static const char *const bad[] = {"",   "\n", "-",   "0-",  "3-1",
                                      "0,", "a",  "0-8", "0 1", "0-18446744073709551615"};
    int cpus[8];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(slw_proc_parse_cpu_list(bad[i], cpus, 8), 0);
}

static void a_hostile_name_does_not_move_stat_fields(void **state)
{
    const char *text = "42 (a) R 1 1) S 1 42 42 0 -1 4194304 11 22 33 44 55 66 77 88 20 0 1";
    struct slw_proc_stat s;

    (void)state;
    assert_true(slw_proc_parse_stat(text, strlen(text), &s));
    assert_int_equal(s.minor_faults, 11);
    assert_int_equal(s.child_minor_faults, 22);
    assert_int_equal(s.major_faults, 33);
    assert_int_equal(s.child_major_faults, 44);
    assert_int_equal(s.user_ticks, 55);
    assert_int_equal(s.system_ticks, 66);
    assert_int_equal(s.child_user_ticks, 77);
    assert_int_equal(s.child_system_ticks, 88);
    assert_false(slw_proc_parse_stat("42 (a) S 1", 10, &s));
    assert_false(slw_proc_parse_stat("", 0, &s));
}

static void a_status_field_is_found_at_line_start_only(void **state)
{
    const char *text = "Name:\tVmHWM: 9\nVmHWM:\t  1234 kB\nvoluntary_ctxt_switches:\t5\n"
                       "nonvoluntary_ctxt_switches:\t6\n";
    uint64_t value = 0;

    (void)state;
    assert_true(slw_proc_parse_field(text, "VmHWM", &value));
    assert_int_equal(value, 1234);
    assert_true(slw_proc_parse_field(text, "voluntary_ctxt_switches", &value));
    assert_int_equal(value, 5);
    assert_false(slw_proc_parse_field(text, "VmPeak", &value));
    assert_false(slw_proc_parse_field("VmHWM:\t\n", "VmHWM", &value));
}

static void a_folder_of_proc_is_a_process_only_by_its_whole_name(void **state)
{
    (void)state;
    assert_int_equal(slw_proc_parse_id("4194304"), 4194304);
    assert_int_equal(slw_proc_parse_id("."), 0);
    assert_int_equal(slw_proc_parse_id("self"), 0);
    assert_int_equal(slw_proc_parse_id("12x"), 0);
    assert_int_equal(slw_proc_parse_id("-1"), 0);
    assert_int_equal(slw_proc_parse_id(""), 0);
    assert_int_equal(slw_proc_parse_id("99999999999999999999"), 0);
}

static void symbols_and_modules(void **state)
{
    const char *module = "ext4 1130496 1 - Live 0xffffffffc0400000 (E)";
    const char *symbol = "ffffffff81000000 T _stext";
    struct slw_proc_module m;
    uint64_t address = 0;

    (void)state;
    assert_true(slw_proc_parse_symbol(symbol, strlen(symbol), "_stext", &address));
    assert_int_equal(address, 0xffffffff81000000);
    assert_false(slw_proc_parse_symbol(symbol, strlen(symbol), "_stex", &address));
    assert_true(slw_proc_parse_module(module, strlen(module), &m));
    assert_int_equal(m.name_length, 4);
    assert_int_equal(m.size_bytes, 1130496);
    assert_int_equal(m.address, 0xffffffffc0400000);
    assert_false(slw_proc_parse_module("ext4", 4, &m));
}

static size_t feed(struct slw_control_lines *lines, const char *text,
                   enum slw_control_command *commands)
{
    size_t count = 0;

    for (; *text; text++)
        count += slw_control_feed(lines, *text, &commands[count]);
    return count;
}

static void control_lines_become_commands(void **state)
{
    enum slw_control_command commands[8];
    struct slw_control_lines lines = {0};

    (void)state;
    assert_int_equal(feed(&lines, "start\n\n  stop \r\nquit\nstart", commands), 3);
    assert_int_equal(commands[0], SLW_CONTROL_START);
    assert_int_equal(commands[1], SLW_CONTROL_STOP);
    assert_int_equal(commands[2], SLW_CONTROL_QUIT);
    assert_int_equal(lines.unknown_count, 0);
    assert_int_equal(feed(&lines, "\n", commands), 1); /* the rest of a split line */
    assert_int_equal(commands[0], SLW_CONTROL_START);
}

static void what_is_no_command_is_counted(void **state)
{
    enum slw_control_command commands[8];
    struct slw_control_lines lines = {0};

    (void)state;
    assert_int_equal(feed(&lines,
                          "START\nstar\nstartx\nstart stop\nstart               x\n"
                          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
                          commands),
                     0);
    assert_int_equal(lines.unknown_count, 6);
    assert_int_equal(feed(&lines, "start                                  \n", commands), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_maps_line_is_taken_apart),
        cmocka_unit_test(what_is_no_maps_line_is_refused),
        cmocka_unit_test(a_cpu_list_with_gaps),
        cmocka_unit_test(bad_cpu_lists_have_no_cpus),
        cmocka_unit_test(a_hostile_name_does_not_move_stat_fields),
        cmocka_unit_test(a_status_field_is_found_at_line_start_only),
        cmocka_unit_test(a_folder_of_proc_is_a_process_only_by_its_whole_name),
        cmocka_unit_test(symbols_and_modules),
        cmocka_unit_test(control_lines_become_commands),
        cmocka_unit_test(what_is_no_command_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
