/* SPDX-License-Identifier: MIT */
/* After measuring: first what was counted is saved, then the samples are analysed; the raw samples
 * go only when their analysis is on the disk. */
#include "cli/profile_int.h"

#include "analyzer/samples.h"
#include "base/file.h"
#include "cli/cache.h"
#include "cli/graph.h"
#include "cli/render.h"
#include "collector/spool_build_ids.h"
#include "record/run_dir.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONG_WORK_BYTES (16 << 20) /* of samples: from about here on people wonder what happens */

static long long size_of(const char *path)
{
    struct stat st;

    return path && stat(path, &st) == 0 ? (long long)st.st_size : -1;
}

bool slw_profile_measured(const struct slw_profile *p)
{
    for (size_t i = 0; i < p->run->count_count; i++)
        if (!p->run->counts[i].absent)
            return true;
    return size_of(p->session.spool_path) > 0;
}

void slw_profile_discard(const struct slw_profile *p)
{
    if (!p->dir)
        return;
    if (p->perf_data)
        (void)unlink(p->perf_data);
    (void)rmdir(p->dir);
}

static bool counted_in_hardware(const struct slw_run *run)
{
    for (size_t i = 0; i < run->count_count; i++)
        if (run->counts[i].from.source == SLW_SOURCE_HARDWARE && !run->counts[i].absent)
            return true;
    return false;
}

/* Why no model fits matters only where one would have been used. */
static int note_model(struct slw_profile *p)
{
    if (!p->model_why[0] || !counted_in_hardware(p->run))
        return 0;
    return slw_run_note(p->run, SLW_NOTE_WARNING, "unknown-cpu", p->model_hint,
                        "%s; generic events were counted instead", p->model_why);
}

int slw_profile_complete(struct slw_profile *p, struct slw_error *err)
{
    int rc = note_model(p);

    if (rc >= 0 && p->wire)
        rc = slw_wire_finish(p->wire, p->run, err);
    if (p->simulate)
        slw_simulate_untime(p->run);
    return rc;
}

int slw_profile_load_samples(struct slw_profile *p, struct slw_error *err)
{
    char cache[PATH_MAX];
    const struct slw_samples_options opts = {.symbols = true,
                                             .lines = true,
                                             .cache_dir = slw_cache_dir(cache),
                                             .remote = slw_debuginfod_files(p->debuginfod)};
    long long bytes = size_of(p->session.spool_path);

    if (bytes <= 0)
        return 0;
    if (bytes > LONG_WORK_BYTES && p->terminal->err.is_terminal && !p->quiet)
        slw_terminal_say("reading %lld MiB of samples ...", bytes >> 20);
    return slw_samples_load_timed(p->session.spool_path, &opts, p->run, &p->stacks, &p->moments,
                                  err);
}

/* For whoever reads the raw samples on another machine; here device and inode tell as much. */
static void keep_build_ids(const struct slw_profile *p)
{
    struct slw_error err = {0};

    if (!p->keep_raw || !p->stacks)
        return;
    if (slw_spool_add_build_ids(p->session.spool_path, p->stacks, &err) < 0)
        (void)slw_run_note(p->run, SLW_NOTE_WARNING, "no-raw-build-ids", NULL,
                           "the raw samples do not say which builds their files were: %s",
                           err.text);
}

static int analyse(struct slw_profile *p, struct slw_error *err)
{
    if (p->simulate)
        return p->stacks ? slw_run_dir_save(p->dir, p->run, p->stacks, err) : 0;
    if (size_of(p->session.spool_path) <= 0)
        return 0;
    int rc = slw_profile_load_samples(p, err);
    if (rc >= 0) {
        keep_build_ids(p);
        rc = slw_run_dir_save_all(p->dir, p->run, p->stacks, p->moments, err);
    }
    if (rc < 0)
        slw_error_hint(err, "the samples are kept in %s", p->session.spool_path);
    return rc;
}

static int draw(struct slw_profile *p, struct slw_error *err)
{
    const struct slw_graph_request request = {0};
    struct slw_buf svg = {0};
    char *path = slw_run_dir_file(p->dir, "flamegraph.svg");
    int rc = path ? slw_graph_render(p->run, p->stacks, &request, &svg, err)
                  : slw_fail(err, SLW_E_NOMEM, "no memory for a path");

    if (rc >= 0 && slw_buf_failed(&svg))
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for the flame graph");
    if (rc >= 0)
        rc = slw_file_write(path, svg.data, svg.length, err);
    slw_buf_release(&svg);
    if (rc < 0)
        free(path);
    else
        p->svg = path;
    return rc;
}

/* What a shell would say of the client; nothing when it did well or goes on. */
static void put_failure(const struct slw_command *c, struct slw_buf *out)
{
    if (c->exit == SLW_EXIT_STATUS && c->exit_value != 0)
        slw_buf_printf(out, "client:      failed with exit status %d\n", c->exit_value);
    else if (c->exit == SLW_EXIT_SIGNAL)
        slw_buf_printf(out, "client:      killed by signal %d (%s)\n", c->exit_value,
                       strsignal(c->exit_value));
}

static void put_outcome(const struct slw_profile *p, struct slw_buf *out)
{
    slw_buf_putc(out, '\n');
    put_failure(&p->run->command, out);
    slw_buf_printf(out, "run:         %s\n", p->dir);
    if (p->svg)
        slw_buf_printf(out, "flame graph: %s\n", p->svg);
    if (p->session.sample && size_of(p->perf_data) >= 0)
        slw_buf_printf(out, "raw samples: %s\n", p->perf_data);
}

/* On standard error: standard output belongs to the client. */
static int report(struct slw_profile *p, struct slw_error *err)
{
    const struct slw_stream *stream = &p->terminal->err;
    struct slw_buf out = {0};
    struct slw_render_request request = {
        .format = p->format,
        .color = stream->color,
        .width = stream->width,
        .moments = p->moments,
    };
    const bool one = p->run->model.name && p->run->other_model_count == 0;
    int rc = slw_render_run(p->run, p->stacks, one ? p->model : NULL, &request, &out, err);

    /* Other formats are for programs, which know where they sent the run. */
    if (rc >= 0 && (!p->format || strcmp(p->format, "term") == 0))
        put_outcome(p, &out);
    if (rc >= 0)
        rc = slw_terminal_write(stream, &out, err);
    slw_buf_release(&out);
    return rc;
}

int slw_profile_finish(struct slw_profile *p, struct slw_error *err)
{
    if (!p->window) /* whoever stops a series wants its last window */
        slw_signals_analysing();
    int first = slw_profile_complete(p, err);
    if (first >= 0)
        first = slw_run_dir_save(p->dir, p->run, NULL, err);
    int rc = analyse(p, err);
    bool analysed = first >= 0 && rc >= 0;

    first = first < 0 ? first : rc;
    if (analysed && p->flamegraph && p->stacks) {
        rc = draw(p, err);
        first = first < 0 ? first : rc;
    }
    if (analysed && !p->keep_raw && p->session.spool_path)
        (void)unlink(p->session.spool_path);
    if (!p->quiet) {
        rc = report(p, err);
        first = first < 0 ? first : rc;
    }
    return first;
}

void slw_profile_release(struct slw_profile *p)
{
    slw_moments_free(p->moments);
    slw_stacks_free(p->stacks);
    slw_run_free(p->run);
    slw_model_free(p->model);
    for (size_t i = 0; i < SLW_MAX_CORE_KINDS; i++)
        slw_model_free(p->other_models[i]);
    free(p->dir);
    free(p->perf_data);
    free(p->svg);
    slw_debuginfod_close(p->debuginfod);
    slw_wire_close(p->wire);
    slw_simulate_free(p->simulate);
    slw_pushing_free(p->pushing);
    for (size_t i = 0; p->workload && i < 3; i++)
        free(p->workload[i]);
    free(p->workload);
}
