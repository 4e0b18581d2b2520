/* SPDX-License-Identifier: MIT */
/* slotwise compare --a CMD --b CMD: both commands, measured in turn. */
#include "cli/experiment/compare.h"

#include "analyzer/statistics/looks.h"
#include "base/arena.h"
#include "base/clock.h"
#include "cli/experiment/experiment_int.h"
#include "cli/load.h"
#include "cli/run_name.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- rounds auto ---- */

struct looking {
    struct slw_experiment *experiment;
    const struct slw_judging *how;
};

static bool is_look(size_t pairs)
{
    for (size_t i = 0; i < SLW_LOOK_COUNT; i++)
        if (slw_look_at(i)->pairs == pairs)
            return true;
    return false;
}

static bool settled(const struct slw_comparison *c)
{
    enum slw_judged words[SLW_MAX_GATES];
    size_t count = 0;

    for (size_t i = 0; i < c->row_count && count < SLW_MAX_GATES; i++)
        if (c->rows[i].rank == SLW_METRIC_GATED)
            words[count++] = c->rows[i].gate ? c->rows[i].gate_word : c->rows[i].judgement.word;
    return count > 0 && slw_looks_settled(words, count);
}

/* Rounds that were left out do not count for a look. */
static size_t pairs_of(const struct slw_arm *arms)
{
    size_t pairs = 0;

    for (size_t i = 0; i < arms[0].run->round_count; i++)
        pairs += arms[0].run->rounds[i].left_out == NULL;
    return pairs;
}

static bool enough(void *ctx, const struct slw_arm *arms, size_t arm_count, size_t blocks)
{
    const struct looking *l = ctx;
    struct slw_judged_arms judged;
    bool enough_now = false;

    (void)blocks;
    if (arm_count != 2 || !is_look(pairs_of(arms)))
        return false;
    if (slw_judge_arms(&arms[0], &arms[1], l->experiment, l->how, &judged, NULL) >= 0)
        enough_now = settled(judged.comparison);
    slw_judged_release(&judged);
    return enough_now;
}

/* ---- the directory ---- */

/* The first word of what a shell is given. */
static void shell_stem(const char *text, char stem[SLW_MAX_STEM])
{
    char word[SLW_MAX_STEM];
    size_t length = 0;

    while (length + 1 < sizeof(word) && (isalnum((unsigned char)text[length]) ||
                                         (text[length] && strchr("_-+./", text[length]))))
        length++;
    memcpy(word, text, length);
    word[length] = '\0';
    slw_path_stem(length > 0 ? word : "sh", stem);
}

static void stem_of(const struct slw_compare_request *r, char stem[SLW_MAX_STEM])
{
    char *const *argv = r->plan->arms[0].argv;

    if (r->shell[0])
        shell_stem(argv[2], stem);
    else
        slw_path_stem(argv[0], stem);
    if (strcmp(stem, "slotwise-workload") == 0 && argv[1] && strcmp(argv[1], "run") == 0 && argv[2])
        slw_path_stem(argv[2], stem);
}

/* ---- measuring ---- */

static int note_shell(const struct slw_compare_request *r, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < 2 && rc == 0; i++)
        if (r->shell[i])
            rc = slw_run_note(r->plan->arms[i].run, SLW_NOTE_INFO, "shell", NULL,
                              "the command needs a shell: /bin/sh is part of what was measured");
    return rc < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for notes") : 0;
}

static int describe(const struct slw_compare_request *r, struct slw_experiment *e,
                    struct slw_error *err)
{
    e->kind = SLW_EXPERIMENT_COMPARE;
    e->automatic = r->automatic;
    e->margin = r->judging.margin;
    e->equivalence_90 = r->judging.equivalence_90;
    e->gates = slw_arena_strdup(e->arena, r->judging.gates);
    return r->judging.gates && !e->gates ? slw_fail(err, SLW_E_NOMEM, "no memory for gates") : 0;
}

/* The A/A test took its part of the time. */
static uint64_t rest_of(uint64_t budget_ms, uint64_t began_ns)
{
    const uint64_t gone_ms = (slw_clock_monotonic_ns() - began_ns) / 1000000;

    if (budget_ms == 0)
        return 0;
    return budget_ms > gone_ms ? budget_ms - gone_ms : 1;
}

static int measure(struct slw_compare_request *r, struct slw_experiment *e, struct slw_error *err)
{
    const uint64_t began_ns = slw_clock_monotonic_ns(), budget_ms = r->plan->budget_ms;
    const struct slw_aa_request aa = {
        .kind = r->aa, .count = r->aa_count, .plan = r->plan, .judging = &r->judging};
    struct looking looking = {.experiment = e, .how = &r->judging};
    char failure[96];
    int rc = slw_aa_floors(&aa, e, &r->plan->is_up, err);

    if (rc < 0) {
        if (r->aa != SLW_AA_NO)
            (void)slw_hook_run(r->plan->cleanup, NULL, NULL, failure, NULL);
        return rc;
    }
    r->plan->budget_ms = rest_of(budget_ms, began_ns);
    if (r->automatic) {
        r->plan->enough = enough;
        r->plan->enough_ctx = &looking;
    }
    rc = slw_experiment_measure(r->plan, e, err);
    e->budget_ms = budget_ms;
    return rc < 0 ? rc : note_shell(r, err);
}

int slw_compare_measure(struct slw_compare_request *r, const char *name, char **ret_directory,
                        struct slw_experiment **ret_experiment, struct slw_error *err)
{
    struct slw_experiment *e = NULL;
    char stem[SLW_MAX_STEM];
    char *directory = NULL;
    int rc = slw_experiment_new(&e, err);

    stem_of(r, stem);
    if (rc >= 0)
        rc = describe(r, e, err);
    if (rc >= 0)
        rc = slw_name_create(name, stem, ".compare", &directory, err);
    if (rc >= 0) {
        r->plan->directory = directory;
        rc = measure(r, e, err);
        if (rc < 0)
            (void)rmdir(directory); /* stays where clients have printed something */
    }
    if (rc >= 0)
        rc = slw_experiment_save(directory, e, r->plan->arms, err);
    if (rc < 0) {
        slw_experiment_free(e);
        free(directory);
        return rc;
    }
    *ret_directory = directory;
    *ret_experiment = e;
    return 0;
}
