/* SPDX-License-Identifier: MIT */
/* The body of the three fuzz targets of perf stat: refused with a place and a reason, or imported
 * into a run that is written, read back and reported without a number out of nowhere. */
#ifndef SLW_TESTS_FUZZ_PERF_STAT_INT_H
#define SLW_TESTS_FUZZ_PERF_STAT_INT_H

#include "analyzer/crosscheck.h"
#include "analyzer/report.h"
#include "base/buf.h"
#include "collector/import_model.h"
#include "collector/importer.h"
#include "record/run_dir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct slw_importer IMPORTER;

static void check(int ok)
{
    if (!ok)
        abort();
}

static void check_nodes(const struct slw_report *r)
{
    for (size_t i = 0; i < r->node_count; i++) {
        const struct slw_report_node *n = &r->nodes[i];

        check(n->value.absent || isfinite(n->value.value));
        check(n->value.absent || n->mismeasured || n->level == 0 ||
              (n->value.value >= 0 && n->value.value <= 1));
        check(n->value.coverage >= 0 && n->value.coverage <= 1);
    }
}

/* `loaded` keeps the model from one input to the next: loading it takes longer than all the rest.
 */
static void report_with(struct slw_run *run, const char *name, struct slw_model **loaded)
{
    struct slw_crosscheck result;
    struct slw_report *report = NULL;

    check(*loaded || slw_model_builtin(name, loaded, NULL) == 0);
    const struct slw_model *model = *loaded;
    check(slw_import_model(run, model, NULL) == 0);
    check(slw_report_new(run, NULL, model, &report, NULL) == 0);
    check_nodes(report);
    check(slw_crosscheck_note(report, run, &result, NULL) == 0 &&
          result.different <= result.checked);
    slw_report_free(report);
}

static void write_and_read_again(const struct slw_run *run)
{
    struct slw_buf text = {0};
    struct slw_run *again = NULL;

    check(slw_run_to_json(run, &text, NULL) == 0);
    check(slw_run_from_json(text.data, text.length, &again, NULL) == 0);
    check(again->count_count == run->count_count && again->printed_count == run->printed_count);
    for (size_t i = 0; i < run->count_count; i++)
        check(run->counts[i].from.imported &&
              (run->counts[i].absent || again->counts[i].raw == run->counts[i].raw));
    slw_run_free(again);
    slw_buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct slw_model *skylake, *zen4; /* models whose trees differ */
    struct slw_imported imported = {0};
    struct slw_error err = {0};
    const size_t head = size < SLW_IMPORT_HEAD_BYTES ? size : SLW_IMPORT_HEAD_BYTES;

    (void)IMPORTER.recognise(data, head);
    if (IMPORTER.import("bytes", data, size, &imported, &err) < 0) {
        check(err.code != SLW_E_OK && err.text[0] && strncmp(err.where, "bytes:", 6) == 0);
        return 0;
    }
    write_and_read_again(imported.run);
    report_with(imported.run, "skylake", &skylake);
    report_with(imported.run, "zen4", &zen4);
    slw_run_free(imported.run);
    return 0;
}

#endif
