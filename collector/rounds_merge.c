/* SPDX-License-Identifier: MIT */
#include "collector/rounds_int.h"

#include "collector/plan_pass.h"
#include "record/run_merge.h"

#include <stdio.h>
#include <string.h>

/* ---- which rounds are kept ---- */

/* Why the counts of this execution are no good, or NULL. `usual_status`: how a client that is well
 * ends. */
static const char *fault_of(const struct slw_executions *x, const struct slw_execution *e,
                            int usual_status, struct slw_run *run)
{
    const struct slw_session_options *o = x->opts->session;
    const struct slw_command *c = &e->run->command;
    char text[96] = "";

    if (e->interrupted)
        return "interrupted";
    if (o->target == SLW_TARGET_COMMAND && c->exit == SLW_EXIT_SIGNAL)
        (void)snprintf(text, sizeof(text), "the client was killed by signal %d", c->exit_value);
    else if (o->target == SLW_TARGET_COMMAND && c->exit != SLW_EXIT_STATUS)
        (void)snprintf(text, sizeof(text), "the client had not ended");
    else if (o->target == SLW_TARGET_COMMAND && c->exit_value != usual_status)
        (void)snprintf(text, sizeof(text), "the client failed with exit status %d", c->exit_value);
    else if (e->run->wall_ns.absent || e->run->wall_ns.value < o->duration_ms * UINT64_C(1000000))
        (void)snprintf(text, sizeof(text), "the target ended before the window did");
    if (!text[0])
        return NULL;
    const char *why = slw_run_str(run, text);
    return why ? why : "the client failed";
}

/* The groups are those of the first pass or of the first round; other counters are other groups. */
static size_t usual_groups(const struct slw_executions *x)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->all[i].round > 0)
            return x->all[i].group_count;
    return 0;
}

static size_t end_of_round(const struct slw_executions *x, size_t first)
{
    size_t end = first;

    while (end < x->count && x->all[end].round == x->all[first].round)
        end++;
    return end;
}

/* Values of a round belong together: one bad pass spoils them all. */
static bool judge_round(struct slw_executions *x, size_t first, size_t end, int usual_status,
                        struct slw_run *run)
{
    const size_t groups = usual_groups(x),
                 passes = x->opts->no_multiplex && groups > 1 ? groups : 1;
    const char *spoilt = end - first < passes ? "not every group of events was counted" : NULL;

    for (size_t i = first; i < end; i++) {
        struct slw_execution *e = &x->all[i];

        e->left_out = fault_of(x, e, usual_status, run);
        if (!e->left_out && e->group_count != groups)
            e->left_out = "not as many counters could be had as in the first round";
        if (e->left_out)
            spoilt = "another execution of its round was left out";
    }
    for (size_t i = first; i < end; i++) {
        x->all[i].kept = !spoilt;
        if (!x->all[i].left_out)
            x->all[i].left_out = spoilt;
    }
    return !spoilt;
}

static int judge_rounds(struct slw_executions *x, int usual_status, struct slw_run *run)
{
    int kept = 0;

    for (size_t i = 0; i < x->count; i = end_of_round(x, i))
        if (x->all[i].round > 0)
            kept += judge_round(x, i, end_of_round(x, i), usual_status, run);
    return kept;
}

/* The one exit status of every execution that was not interrupted; 0 when there is none. */
static int common_status(const struct slw_executions *x)
{
    int status = -1;

    for (size_t i = 0; i < x->count; i++) {
        const struct slw_command *c = &x->all[i].run->command;

        if (x->all[i].interrupted)
            continue;
        if (c->exit != SLW_EXIT_STATUS || (status >= 0 && c->exit_value != status))
            return 0;
        status = c->exit_value;
    }
    return status > 0 ? status : 0;
}

static void note_left_out(const struct slw_executions *x, struct slw_run *run)
{
    for (size_t i = 0; i < x->count; i = end_of_round(x, i)) {
        const char *why = NULL;

        for (size_t k = i; k < end_of_round(x, i); k++)
            if (x->all[k].left_out && (!why || strncmp(why, "another", 7) == 0))
                why = x->all[k].left_out;
        if (why)
            (void)slw_run_note(run, SLW_NOTE_WARNING, "round-left-out", NULL,
                               "round %d is not in the values: %s", x->all[i].round, why);
    }
}

/* How many rounds are kept. */
static int judge(struct slw_executions *x, struct slw_run *run)
{
    int kept = judge_rounds(x, 0, run), status = kept ? 0 : common_status(x);

    if (status > 0 && (kept = judge_rounds(x, status, run)) > 0)
        (void)slw_run_note(run, SLW_NOTE_WARNING, "rounds-failed", NULL,
                           "every execution of the client failed with exit status %d; the rounds "
                           "are kept, as that is how it ends",
                           status);
    note_left_out(x, run);
    return kept;
}

/* ---- into one run ---- */

static int add_count(struct slw_run *run, const struct slw_execution *e, struct slw_count count,
                     bool in_round, struct slw_error *err)
{
    if (in_round) {
        count.round = e->round;
        count.pass = e->pass;
    }
    /* A pass knows only its own groups by number. */
    if (e->pass > 0 && count.group == SLW_PASS_REFERENCE)
        count.group = -1;
    else if (e->pass > 0 && count.group == SLW_PASS_GROUP)
        count.group = e->pass;
    return slw_run_add_count(run, &count, err);
}

static int add_counts(struct slw_run *run, const struct slw_execution *e, bool in_round,
                      struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < e->run->count_count && rc == 0; i++)
        rc = add_count(run, e, e->run->counts[i], in_round, err);
    return rc;
}

static bool failed(const struct slw_command *c)
{
    return c->exit == SLW_EXIT_SIGNAL || (c->exit == SLW_EXIT_STATUS && c->exit_value != 0);
}

static int copy_head(const struct slw_executions *x, struct slw_run *run, struct slw_error *err)
{
    const struct slw_run *first = x->all[0].run;
    const struct slw_command *end = &x->all[x->count - 1].run->command;

    for (size_t i = x->count; i > 0; i--)
        if (failed(&x->all[i - 1].run->command))
            end = &x->all[i - 1].run->command;
    run->started_realtime_ns = first->started_realtime_ns;
    int rc = slw_run_copy_command(run, &first->command, err);
    for (size_t i = 0; i < x->count && rc == 0; i++)
        rc = slw_run_copy_models(run, x->all[i].run, err);
    run->command.exit = end->exit;
    run->command.exit_value = end->exit_value;
    return rc;
}

static int list_execution(struct slw_run *run, const struct slw_execution *e, struct slw_error *err)
{
    const struct slw_round r = {.round = e->round,
                                .pass = e->pass,
                                .sampled = e->sampled,
                                .wall_ns = e->run->wall_ns,
                                .requests = e->run->requests,
                                .exit = e->run->command.exit,
                                .exit_value = e->run->command.exit_value,
                                .left_out = e->left_out};

    return slw_run_add_round(run, &r, err);
}

static int add_execution(const struct slw_executions *x, size_t index, int kept,
                         struct slw_run_sums *sums, struct slw_run *run, struct slw_error *err)
{
    const struct slw_execution *e = &x->all[index];
    const bool stands_in = kept == 0 && index == 0;
    int rc = list_execution(run, e, err);

    if (rc == 0)
        rc = slw_run_merge_costs(run, e->run, index == 0);
    if (rc == 0 && e->sampled)
        rc = slw_run_merge_samplings(run, e->run, err);
    if (rc == 0 && (e->sampled || e->kept || stands_in))
        rc = slw_run_merge_notes(run, e->run, false);
    if (rc == 0 && (e->kept || stands_in))
        rc = add_counts(run, e, e->kept, err);
    if (rc == 0 && (e->kept || stands_in))
        rc = slw_run_sums_add(sums, e->run, err);
    return rc;
}

/* ---- what they have in common, and what not ---- */

static void note_rounds(const struct slw_executions *x, int kept, struct slw_run *run)
{
    size_t passes = 0;

    for (size_t i = 0; i < x->count; i++)
        passes += x->all[i].kept;
    if (kept == 0) {
        (void)slw_run_note(run, SLW_NOTE_WARNING, "no-round", NULL,
                           "no round ended as it should: what is counted is the first execution "
                           "alone");
        return;
    }
    (void)slw_run_note(run, SLW_NOTE_INFO, "rounds", NULL,
                       "counts and times are means of %d %s%s%s", kept,
                       kept == 1 ? "round" : "rounds",
                       passes > (size_t)kept ? ", in each of which every group of events was "
                                               "counted in an execution of its own"
                                             : "",
                       x->all[0].sampled ? "; the samples are of one execution before them" : "");
}

int slw_executions_merge(struct slw_executions *x, struct slw_run *run, struct slw_error *err)
{
    struct slw_run_sums *sums = NULL;
    const int kept = judge(x, run);
    int rc = slw_run_sums_new(&sums, err);

    if (rc == 0)
        rc = copy_head(x, run, err);
    for (size_t i = 0; i < x->count && rc == 0; i++)
        rc = add_execution(x, i, kept, sums, run, err);
    if (rc == 0)
        rc = slw_run_sums_put(sums, run, err);
    slw_run_sums_free(sums);
    note_rounds(x, kept, run);
    slw_executions_note_work(x, run);
    return rc;
}
