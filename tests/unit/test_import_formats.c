/* SPDX-License-Identifier: MIT */
/* Files of other tools read into stacks: what each format says, and what is wrong with bad ones. */
#include "base/buf.h"
#include "collector/importer.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct slw_imported m;
static struct slw_error err;

static const struct slw_importer *recognised(const char *text)
{
    const size_t length = strlen(text);

    return slw_importer_of(text, length < SLW_IMPORT_HEAD_BYTES ? length : SLW_IMPORT_HEAD_BYTES);
}

static int import(const char *name, const char *text)
{
    const struct slw_importer *importer = recognised(text);

    err = (struct slw_error){0};
    m = (struct slw_imported){0};
    assert_non_null(importer);
    assert_string_equal(importer->name, name);
    return importer->import("file", text, strlen(text), &m, &err);
}

static void must_import(const char *name, const char *text)
{
    if (import(name, text) < 0)
        fail_msg("%s: %s", err.where, err.text);
}

static void done(void)
{
    slw_stacks_free(m.stacks);
    slw_run_free(m.run);
}

/* "comm;root;...;leaf", functions only. */
static void put_stack(struct slw_buf *out, const struct slw_stack *s)
{
    if (s->thread != SLW_NO_THREAD)
        slw_buf_puts(out, slw_stacks_thread(m.stacks, s->thread).comm);
    for (size_t i = s->depth; i-- > 0;) {
        const struct slw_frame f = slw_stacks_frame(m.stacks, s->frames[i]);

        slw_buf_putc(out, ';');
        slw_buf_puts(out, f.function);
    }
}

static uint64_t weight_of(const char *stack, const char *event, const char *unit)
{
    const int column = slw_stacks_find_column(m.stacks, event, unit);
    uint64_t weight = 0;

    if (column < 0)
        fail_msg("no column %s, %s", event, unit);
    for (size_t i = 0; i < slw_stacks_count(m.stacks); i++) {
        const struct slw_stack s = slw_stacks_get(m.stacks, i);
        struct slw_buf text = {0};

        put_stack(&text, &s);
        if (strcmp(text.data ? text.data : "", stack) == 0)
            weight += s.weights[column];
        slw_buf_release(&text);
    }
    return weight;
}

static const struct slw_frame *frame_called(const char *function)
{
    static struct slw_frame f;

    for (uint32_t i = 0; i < slw_stacks_frame_count(m.stacks); i++) {
        f = slw_stacks_frame(m.stacks, i);
        if (strcmp(f.function, function) == 0)
            return &f;
    }
    fail_msg("no frame %s", function);
    return NULL;
}

/* The text of the note, "" when there is none. */
static const char *note(const char *code)
{
    for (size_t i = 0; i < m.run->note_count; i++)
        if (strcmp(m.run->notes[i].code, code) == 0)
            return m.run->notes[i].text;
    return "";
}

/* ---- perf script ---- */

static void perf_script_heads_are_read_with_any_fields(void **state)
{
    (void)state;
    must_import("perf-script", "# captured on: x\n"
                               "my 1 client 4711/4712 [001] 12.345678:     250000 cycles:u: \n"
                               "\t    55771f6c013c leaf(int)+0x13 (/usr/bin/my client (deleted))\n"
                               "\tffffffff81000e06 irq ([kernel.kallsyms])\n\n"
                               "my 1 client 4711/4712 [001] 12.4:     50000 cycles:u: \n"
                               "\t    55771f6c013c leaf(int)+0x15 (/usr/bin/my client (deleted))\n"
                               "\tffffffff81000e06 irq ([kernel.kallsyms])\n\n"
                               ":-1    -1 5.000001: sched:sched_switch: prev_comm=a prev_pid=1\n"
                               "\t    7f0000000000 main (inlined)\n"
                               "\t    7f0000000000 [unknown] ([unknown])\n\n");
    assert_true(weight_of("my 1 client;irq;leaf(int)", "cycles:u", "events") == 300000);
    assert_true(weight_of("my 1 client;irq;leaf(int)", "cycles:u", "count") == 2);
    assert_true(weight_of(":-1;;main", "sched:sched_switch", "count") == 1);
    assert_int_equal(slw_stacks_find_column(m.stacks, "sched:sched_switch", "events"), -1);
    assert_int_equal(frame_called("irq")->kind, SLW_FRAME_KERNEL);
    assert_true(frame_called("main")->inlined);
    const struct slw_mapping map = slw_stacks_mapping(m.stacks, frame_called("leaf(int)")->mapping);
    assert_string_equal(map.path, "/usr/bin/my client (deleted)");
    const struct slw_thread t = slw_stacks_thread(m.stacks, 0);
    assert_int_equal(t.pid, 4711);
    assert_int_equal(t.tid, 4712);
    assert_int_equal(m.run->sampling_count, 2);
    assert_int_equal(m.run->samplings[1].from.source, SLW_SOURCE_SOFTWARE);
    assert_true(m.run->samplings[0].from.imported);
    done();
}

static void perf_script_without_chains_has_a_frame_on_the_head_line(void **state)
{
    (void)state;
    must_import("perf-script",
                "            dead 12345 57822.388127:    1001001 cpu-clock:      55771f6c013c "
                "leaf+0x13 (/tmp/w)\n"
                "            dead 12345 57822.391074:    1001001 cpu-clock:  ffffffff81000000 idle "
                "([kernel.kallsyms])\n");
    assert_true(weight_of("dead;leaf", "cpu-clock", "nanoseconds") == 1001001);
    assert_true(weight_of("dead;idle", "cpu-clock", "count") == 1);
    done();
}

static void a_cut_perf_script_keeps_what_is_whole(void **state)
{
    (void)state;
    must_import("perf-script", "w 1 1.0:  7 cycles: \n\t 10 main (/w)\n\n"
                               "w 1 1.1:  7 cycles: \n\t 10 ma");
    assert_true(weight_of("w;main", "cycles", "events") == 7);
    assert_true(note("partial-import")[0]);
    assert_non_null(strstr(note("partial-import"), "file:5"));
    done();
    must_import("perf-script", "w 1 1.0:  7 cycles: \n\t 10 main (/w)\n");
    assert_true(note("partial-import")[0]);
    done();
    must_import("perf-script", "w 1 1.0:  7 cycles: \n\t 10 main (/w)\n\n");
    assert_string_equal(note("partial-import"), "");
    done();
}

static void other_lines_of_perf_script_are_told(void **state)
{
    (void)state;
    must_import("perf-script", "w 1 1.0:  7 cycles: \n\t 10 main (/w)\n  w.c:12\n\n");
    assert_true(weight_of("w;main", "cycles", "events") == 7);
    assert_non_null(strstr(note("lines-left-out"), "line 3"));
    done();
    assert_true(import("perf-script", "w 1 1.0:  18446744073709551615 cycles: \n\n") < 0);
    assert_string_equal(err.where, "file:1");
}

/* ---- callgrind ---- */

static const char callgrind[] = "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\n"
                                "positions: instr line\nevents: Ir Dr\nsummary: 27 6\n\n"
                                "ob=(4) /usr/bin/w\nfl=(134) a.c\nfn=(596) main\n"
                                "0x1139 16 5 1\n+4 +1 6\ncfi=(135) b.c\ncfn=(597) leaf\n"
                                "calls=2 0x1200 +9\n* * 12 3\njump=3 0x1139 17\n0x1139 17\n"
                                "fi=(135)\n-4 * 4 2\n\nfn=(597)\n0x1200 26 12 3\n";

static void callgrind_costs_are_those_of_the_functions_themselves(void **state)
{
    (void)state;
    must_import("callgrind", callgrind);
    assert_true(weight_of(";main", "Ir", "events") == 15);
    assert_true(weight_of(";main", "Dr", "events") == 3);
    assert_true(weight_of(";leaf", "Ir", "events") == 12);
    assert_string_equal(note("partial-import"), "");
    assert_true(note("callgrind-import")[0]);
    assert_int_equal(m.run->samplings[0].from.source, SLW_SOURCE_SIMULATED);
    assert_string_equal(m.run->samplings[0].from.detail, "callgrind-3.19.0");
    assert_string_equal(frame_called("leaf")->file, "b.c");
    assert_int_equal(frame_called("leaf")->line, 26);
    done();
}

/* Lines of one function, by their numbers. */
static void callgrind_positions_count_from_the_line_before(void **state)
{
    (void)state;
    uint32_t lines = 0;

    must_import("callgrind", callgrind);
    for (uint32_t i = 0; i < slw_stacks_frame_count(m.stacks); i++) {
        const struct slw_frame f = slw_stacks_frame(m.stacks, i);

        if (strcmp(f.function, "main") == 0)
            lines |= 1U << (f.line - 10);
    }
    assert_int_equal(lines, 1U << (16 - 10) | 1U << (17 - 10));
    done();
}

static void cachegrind_is_the_same_without_a_version(void **state)
{
    (void)state;
    must_import("callgrind", "desc: I1 cache:         32768 B\ncmd: ./w\nevents: Ir I1mr \n"
                             "fl=./a.c\nfn=main\n128 2 1\n134 3\nsummary: 5 1\n");
    assert_true(weight_of(";main", "Ir", "events") == 5);
    assert_true(weight_of(";main", "I1mr", "events") == 1);
    done();
}

static void a_cut_callgrind_file_is_partial(void **state)
{
    (void)state;
    char cut[sizeof(callgrind)];

    memcpy(cut, callgrind, sizeof(callgrind));
    strstr(cut, "fn=(597)\n0x1200")[0] = '\0';
    must_import("callgrind", cut);
    assert_non_null(strstr(note("partial-import"), "27"));
    done();
}

static void a_summary_may_say_more_than_the_lines_do(void **state)
{
    (void)state;
    must_import("callgrind", "events: Ir\nsummary: 7\nfn=a\n1 5\ntotals: 5\n");
    assert_true(weight_of(";a", "Ir", "events") == 5);
    assert_string_equal(note("partial-import"), "");
    assert_non_null(strstr(note("callgrind-summary"), "7"));
    done();
    /* Of two parts, the second is cut. */
    must_import("callgrind",
                "events: Ir\nsummary: 5\nfn=a\n1 5\ntotals: 5\nsummary: 3\nfn=a\n1 2\n");
    assert_non_null(strstr(note("partial-import"), "8"));
    done();
    must_import("callgrind", "events: Ir\nfn=a\n1 5\ntotals: 6\n");
    assert_non_null(strstr(note("partial-import"), "6"));
    done();
}

static void bad_callgrind_lines_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where, *what;
    } bad[] = {
        {"events: Ir\nfn=(1)\n", "file:2", "never given"},
        {"events: Ir\nfn=a\n1 2 3\n", "file:3", "more costs than events"},
        {"events: Ir\nfn=a\nx\n", "file:3", "neither a name nor a cost"},
        {"events: Ir\n1 2\n", "file:2", "fn="},
        {"version: 2\nevents: Ir\n", "file:1", "version"},
        {"events: Ir\nfn=(99999999999) a\n", "file:2", "past"},
        {"events: Ir\nfn=a\n1 -2\n", "file:3", "no cost"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_true(import("callgrind", bad[i].text) < 0);
        assert_string_equal(err.where, bad[i].where);
        assert_non_null(strstr(err.text, bad[i].what));
    }
}

/* ---- speedscope ---- */

#define SPEEDSCOPE(profiles)                                                                       \
    "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\"shared\":{\"frames\":"  \
    "[{\"name\":\"a\",\"file\":\"x.js\",\"line\":3},{\"name\":\"b\"}]},\"profiles\":[" profiles    \
    "]}"

static void speedscope_events_weigh_the_time_between_them(void **state)
{
    (void)state;
    must_import("speedscope",
                SPEEDSCOPE("{\"type\":\"evented\",\"name\":\"t\",\"unit\":\"milliseconds\","
                           "\"startValue\":0,\"endValue\":14.5,\"events\":["
                           "{\"type\":\"O\",\"frame\":0,\"at\":0},"
                           "{\"type\":\"O\",\"frame\":1,\"at\":1.5},"
                           "{\"type\":\"C\",\"frame\":1,\"at\":4},"
                           "{\"type\":\"C\",\"frame\":0,\"at\":14.5}]}"));
    assert_true(weight_of("t;a", "samples", "nanoseconds") == 12000000);
    assert_true(weight_of("t;a;b", "samples", "nanoseconds") == 2500000);
    assert_string_equal(frame_called("a")->file, "x.js");
    done();
}

static void speedscope_profiles_of_one_unit_are_threads_of_one_column(void **state)
{
    (void)state;
    must_import("speedscope",
                SPEEDSCOPE("{\"type\":\"sampled\",\"name\":\"t1\",\"unit\":\"none\",\"startValue\":"
                           "0,\"endValue\":3,\"samples\":[[0,1],[]],\"weights\":[2,1]},"
                           "{\"type\":\"sampled\",\"name\":\"t2\",\"unit\":\"none\",\"startValue\":"
                           "0,\"endValue\":4,\"samples\":[[0]],\"weights\":[4]}"));
    assert_int_equal(slw_stacks_column_count(m.stacks), 1);
    assert_true(weight_of("t1;a;b", "samples", "count") == 2);
    assert_true(weight_of("t1", "samples", "count") == 1);
    assert_true(weight_of("t2;a", "samples", "count") == 4);
    done();
}

static void bad_speedscope_samples_are_named(void **state)
{
    (void)state;
    static const char sampled[] =
        SPEEDSCOPE("{\"type\":\"sampled\",\"name\":\"t\",\"unit\":\"none\",\"startValue\":0,"
                   "\"endValue\":1,\"samples\":[[0],[7]],\"weights\":[1,1]}");

    must_import("speedscope", sampled);
    assert_true(weight_of("t;a", "samples", "count") == 1);
    assert_non_null(strstr(note("partial-import"), "profile 0, sample 1"));
    done();
    assert_true(import("speedscope", SPEEDSCOPE("{\"type\":\"sampled\",\"unit\":\"none\","
                                                "\"samples\":[[0]],\"weights\":[0.5]}")) < 0);
    assert_non_null(strstr(err.where, "sample 0"));
    assert_true(import("speedscope", "{\"shared\":{\"frames\":[") < 0);
    assert_non_null(strstr(err.where, "file, offset 0x"));
    assert_true(import("speedscope", SPEEDSCOPE("")) < 0);
    assert_int_equal(err.code, SLW_E_NODATA);
}

/* ---- Firefox ---- */

static void firefox_tables_may_be_shared_by_threads(void **state)
{
    (void)state;
    must_import(
        "firefox",
        "{\"meta\":{\"stackwalk\":1,\"preprocessedProfileVersion\":58},\"libs\":[{\"path\":"
        "\"/lib/libc.so.6\",\"codeId\":\"ab12\"}],\"shared\":{\"stringArray\":[\"main\",\"write\","
        "\"x.js\"],\"sources\":{\"filename\":[2]},\"stackTable\":{\"frame\":[0,1],\"prefix\":["
        "null,0]},\"frameTable\":{\"address\":[-1,4096],\"inlineDepth\":[0,0],\"func\":[0,1],"
        "\"line\":[7,null]},\"funcTable\":{\"name\":[0,1],\"resource\":[-1,0],\"source\":[0,null]},"
        "\"resourceTable\":{\"lib\":[0]}},\"threads\":[{\"name\":\"G\",\"pid\":\"12\",\"tid\":13,"
        "\"samples\":{\"stack\":[1,0,null],\"weight\":null,\"weightType\":\"samples\"}}]}");
    assert_true(weight_of("G;main;write", "samples", "count") == 1);
    assert_true(weight_of("G;main", "samples", "count") == 1);
    assert_true(weight_of("G", "samples", "count") == 1);
    assert_string_equal(frame_called("main")->file, "x.js");
    assert_int_equal(frame_called("main")->line, 7);
    assert_true(frame_called("write")->address == 4096);
    assert_string_equal(slw_stacks_mapping(m.stacks, frame_called("write")->mapping).build_id,
                        "ab12");
    assert_int_equal(slw_stacks_thread(m.stacks, 0).pid, 12);
    assert_int_equal(slw_stacks_thread(m.stacks, 0).tid, 13);
    done();
}

#define FIREFOX(stacks, samples)                                                                   \
    "{\"meta\":{\"stackwalk\":0,\"preprocessedProfileVersion\":32},\"threads\":[{\"name\":\"T\","  \
    "\"pid\":0,\"stringTable\":{\"_array\":[\"f\"]},\"samples\":" samples                          \
    ",\"stackTable\":" stacks                                                                      \
    ",\"frameTable\":{\"func\":[0]},\"funcTable\":{\"name\":[0],\"fileName\":[null]}}]}"

static void old_firefox_profiles_are_read_too(void **state)
{
    (void)state;
    must_import("firefox",
                FIREFOX("{\"frame\":[0],\"prefix\":[null]}",
                        "{\"stack\":[0],\"weight\":[2.5],\"weightType\":\"tracing-ms\"}"));
    assert_true(weight_of("T;f", "samples", "nanoseconds") == 2500000);
    done();
}

static void firefox_callers_may_be_told_by_their_distance(void **state)
{
    (void)state;
    must_import("firefox", FIREFOX("{\"frame\":[0,0,0],\"prefixOffset\":[0,1,2]}",
                                   "{\"stack\":[0,1,1,2,2,2,2]}"));
    assert_true(weight_of("T;f", "samples", "count") == 1);
    assert_true(weight_of("T;f;f", "samples", "count") == 6);
    done();
    assert_true(import("firefox",
                       FIREFOX("{\"frame\":[0,0],\"prefixOffset\":[0,2]}", "{\"stack\":[0]}")) < 0);
    assert_non_null(strstr(err.where, "thread 0, stack 1"));
}

/* Version 75: zeros where there is nothing, and flags that say so. */
static void firefox_flags_say_what_a_row_has(void **state)
{
    (void)state;
    must_import(
        "firefox",
        "{\"meta\":{\"stackwalk\":1,\"preprocessedProfileVersion\":75},\"libs\":[{\"path\":"
        "\"/lib/libc.so.6\",\"codeId\":\"ab12\"}],\"shared\":{\"stringArray\":[\"main\",\"write\","
        "\"x.js\"],\"sources\":{\"filename\":[2]},\"stackTable\":{\"frame\":[0,1],\"prefixOffset\":"
        "["
        "0,1]},\"frameTable\":{\"flags\":[16,3],\"address\":[0,4096],\"lib\":[0,0],\"func\":[0,1],"
        "\"line\":[7,0]},\"funcTable\":{\"flags\":[8,0],\"name\":[0,1],\"resource\":[0,0],"
        "\"source\":"
        "[0,0]}},\"threads\":[{\"name\":\"G\",\"pid\":\"12\",\"tid\":13,\"samples\":{\"stack\":[1],"
        "\"weight\":[3],\"weightType\":\"samples\"}}]}");
    assert_true(weight_of("G;main;write", "samples", "count") == 3);
    assert_string_equal(frame_called("main")->file, "x.js");
    assert_int_equal(frame_called("main")->line, 7);
    assert_int_equal(frame_called("main")->mapping, SLW_NO_MAPPING);
    assert_false(frame_called("main")->inlined);
    assert_string_equal(frame_called("write")->file, "");
    assert_true(frame_called("write")->inlined);
    assert_true(frame_called("write")->address == 4096);
    assert_string_equal(slw_stacks_mapping(m.stacks, frame_called("write")->mapping).build_id,
                        "ab12");
    done();
}

static void bad_firefox_rows_are_named(void **state)
{
    (void)state;
    assert_true(import("firefox", FIREFOX("{\"frame\":[0],\"prefix\":[0]}", "{\"stack\":[0]}")) <
                0);
    assert_non_null(strstr(err.where, "thread 0, stack 0"));
    assert_true(import("firefox", FIREFOX("{\"frame\":[4],\"prefix\":[null]}", "{\"stack\":[0]}")) <
                0);
    assert_non_null(strstr(err.text, "frame"));
    must_import("firefox", FIREFOX("{\"frame\":[0],\"prefix\":[null]}", "{\"stack\":[0,9]}"));
    assert_non_null(strstr(note("partial-import"), "sample 1"));
    done();
}

/* As a browser sends it: addresses, places as text, and a process of its own for a page. */
#define GECKO_TABLES(strings, frames, stacks, samples)                                             \
    "\"stringTable\":" strings ",\"frameTable\":{\"schema\":{\"location\":0,\"relevantForJS\":1,"  \
    "\"line\":2},\"data\":" frames "},\"stackTable\":{\"schema\":{\"prefix\":0,\"frame\":1},"      \
    "\"data\":" stacks "},\"samples\":{\"schema\":{\"stack\":0,\"time\":1},\"data\":" samples "}"

static void gecko_profiles_are_brought_into_the_other_form(void **state)
{
    (void)state;
    must_import(
        "firefox",
        "{\"meta\":{\"version\":24,\"stackwalk\":1},\"libs\":[{\"start\":4096,\"end\":8192,"
        "\"offset\":1024,\"name\":\"libxul.so\",\"path\":\"/ff/libxul.so\",\"codeId\":\"ab12\"}],"
        "\"threads\":[{\"name\":\"Gecko\",\"pid\":7,\"tid\":8," GECKO_TABLES(
            "[\"(root)\",\"0x1800\",\"decode (http://h/a b.js:12:3)\",\"XRE_main (in libxul.so) + "
            "9\","
            "\"operator() (int)\",\"0x99999\"]",
            "[[0,false],[1,false],[2,true],[3,false],[4,false],[5,false],[2,true,40]]",
            "[[null,0],[0,3],[1,2],[2,1],[2,4],[2,5],[1,6]]",
            "[[3,0.5],[3,1.5],[4,2.5],[null,3.5],[5,4],[6,5]]") "}],"
                                                                "\"processes\":[{\"meta\":{"
                                                                "\"version\":24},\"libs\":[],"
                                                                "\"threads\":[{\"name\":\"Web\","
                                                                "\"pid\":9,\"tid\":9," GECKO_TABLES(
                                                                    "[\"0x1800\"]", "[[0]]",
                                                                    "[[null,0]]",
                                                                    "[[0,1]]") "}]}]}");
    assert_true(weight_of("Gecko;(root);XRE_main;decode;", "samples", "count") == 3);
    assert_true(weight_of("Gecko;(root);XRE_main;decode;operator() (int)", "samples", "count") ==
                1);
    assert_true(weight_of("Gecko", "samples", "count") == 1);
    assert_true(weight_of("Web;", "samples", "count") == 1);
    assert_true(weight_of("Gecko;(root);XRE_main;decode", "samples", "count") == 1);
    assert_string_equal(frame_called("decode")->file, "http://h/a b.js");
    assert_int_equal(frame_called("decode")->line, 12);
    assert_string_equal(slw_stacks_mapping(m.stacks, frame_called("XRE_main")->mapping).path,
                        "/ff/libxul.so");
    assert_true(frame_called("")->address == 0x1800 - 4096 + 1024);
    assert_int_equal(frame_called("operator() (int)")->mapping, SLW_NO_MAPPING);
    done();
}

static void older_gecko_profiles_have_libraries_as_text(void **state)
{
    (void)state;
    must_import("firefox",
                "{\"meta\":{\"version\":3,\"stackwalk\":1},\"libs\":\"[{\\\"start\\\":4096,"
                "\\\"end\\\":8192,\\\"name\\\":\\\"/ff/libxul.so\\\"}]\",\"threads\":[{\"name\":"
                "\"Gecko\"," GECKO_TABLES("[\"0x1800\"]", "[[0]]", "[[null,0]]", "[[0,1]]") "}]}");
    assert_true(weight_of("Gecko;", "samples", "count") == 1);
    assert_true(frame_called("")->address == 0x800);
    assert_string_equal(slw_stacks_mapping(m.stacks, frame_called("")->mapping).path,
                        "/ff/libxul.so");
    done();
}

static void bad_gecko_rows_are_named(void **state)
{
    (void)state;
    assert_true(import("firefox", "{\"meta\":{\"stackwalk\":1},\"threads\":[{" GECKO_TABLES(
                                      "[\"f\"]", "[[0]]", "[[1,0]]", "[[0,1]]") "}]}") < 0);
    assert_non_null(strstr(err.where, "thread 0, stack 0"));
    assert_true(import("firefox", "{\"meta\":{\"stackwalk\":1},\"threads\":[{" GECKO_TABLES(
                                      "7", "[[0],4,[9],[null]]", "[[null,5]]", "[[0,1]]") "}]}") <
                0);
    assert_non_null(strstr(err.text, "frame"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perf_script_heads_are_read_with_any_fields),
        cmocka_unit_test(perf_script_without_chains_has_a_frame_on_the_head_line),
        cmocka_unit_test(a_cut_perf_script_keeps_what_is_whole),
        cmocka_unit_test(other_lines_of_perf_script_are_told),
        cmocka_unit_test(callgrind_costs_are_those_of_the_functions_themselves),
        cmocka_unit_test(callgrind_positions_count_from_the_line_before),
        cmocka_unit_test(cachegrind_is_the_same_without_a_version),
        cmocka_unit_test(a_cut_callgrind_file_is_partial),
        cmocka_unit_test(a_summary_may_say_more_than_the_lines_do),
        cmocka_unit_test(bad_callgrind_lines_are_named),
        cmocka_unit_test(speedscope_events_weigh_the_time_between_them),
        cmocka_unit_test(speedscope_profiles_of_one_unit_are_threads_of_one_column),
        cmocka_unit_test(bad_speedscope_samples_are_named),
        cmocka_unit_test(firefox_tables_may_be_shared_by_threads),
        cmocka_unit_test(old_firefox_profiles_are_read_too),
        cmocka_unit_test(firefox_callers_may_be_told_by_their_distance),
        cmocka_unit_test(firefox_flags_say_what_a_row_has),
        cmocka_unit_test(bad_firefox_rows_are_named),
        cmocka_unit_test(gecko_profiles_are_brought_into_the_other_form),
        cmocka_unit_test(older_gecko_profiles_have_libraries_as_text),
        cmocka_unit_test(bad_gecko_rows_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
