/* SPDX-License-Identifier: MIT */
#include "record/experiment.h"

#include "base/arena.h"
#include "record/experiment_int.h"
#include "record/field_macros_int.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The tables store sizes through uint64_t. */
_Static_assert(sizeof(size_t) == sizeof(uint64_t), "sizes are 64 bits");

int slw_experiment_new(struct slw_experiment **ret_experiment, struct slw_error *err)
{
    struct slw_experiment *e = calloc(1, sizeof(*e));
    struct slw_arena *arena = slw_arena_new();

    if (!e || !arena) {
        free(e);
        slw_arena_free(arena);
        return slw_fail(err, SLW_E_NOMEM, "no memory for an experiment");
    }
    e->arena = arena;
    *ret_experiment = e;
    return 0;
}

void slw_experiment_free(struct slw_experiment *e)
{
    if (!e)
        return;
    slw_arena_free(e->arena);
    free(e);
}

/* ---- the fields ---- */

static const char *const kinds[] = {[SLW_EXPERIMENT_COMPARE] = "compare",
                                    [SLW_EXPERIMENT_SWEEP] = "sweep",
                                    [SLW_EXPERIMENT_SWEEP + 1] = NULL};
static const char *const ends[] = {
    [SLW_STOPPED_ROUNDS] = "rounds", [SLW_STOPPED_SETTLED] = "settled",
    [SLW_STOPPED_BUDGET] = "budget", [SLW_STOPPED_INTERRUPTED] = "interrupted",
    [SLW_STOPPED_FAILED] = "failed", [SLW_STOPPED_FAILED + 1] = NULL};

/* A reader joins it to the path of the experiment, so that it must not lead out of there. */
static const char *check_arm(const void *element)
{
    const struct slw_experiment_arm *a = element;
    const char *d = a->directory;

    if (!d[0] || strchr(d, '/') || strcmp(d, ".") == 0 || strcmp(d, "..") == 0)
        return "directory is not a plain name";
    return NULL;
}

#define STRUCT slw_parameter
static const struct slw_field parameter_fields[] = {NAME("name", name), NAME("value", value), END};
#undef STRUCT
static const struct slw_field_list parameters = {parameter_fields, sizeof(struct slw_parameter),
                                                 SLW_MAX_PARAMETERS, NULL, NULL};

#define STRUCT slw_experiment_arm
static const struct slw_field arm_fields[] = {
    NAME("name", name), NAME("directory", directory), NAME("command", command),
    ARRAY("parameters", parameters, parameter_count, parameters), END};
#undef STRUCT
static const struct slw_field_list arms = {arm_fields, sizeof(struct slw_experiment_arm),
                                           SLW_MAX_ARMS, check_arm, NULL};

#define STRUCT slw_floor
static const struct slw_field floor_fields[] = {
    NAME("metric", metric), U64("pairs", pairs),      REAL("estimate", estimate),
    REAL("low", low),       REAL("high", high),       REAL("floor", floor),
    U64("tests", tests),    MARK("differs", differs), END};
#undef STRUCT
static const struct slw_field_list floors = {floor_fields, sizeof(struct slw_floor), SLW_MAX_FLOORS,
                                             NULL, NULL};

#define STRUCT slw_experiment
const struct slw_field slw_experiment_fields[] = {ENUM("kind", kind, kinds),
                                                  NAME("id", id),
                                                  TEXT("tool", tool),
                                                  STAMP("seed", seed),
                                                  STAMP("started_realtime_ns", started_realtime_ns),
                                                  ARRAY("arms", arms, arm_count, arms),
                                                  U64("warmup", warmup),
                                                  MARK("automatic", automatic),
                                                  STAMP("budget_ms", budget_ms),
                                                  ENUM("stopped", stopped, ends),
                                                  TEXT("setup", setup),
                                                  TEXT("prepare", prepare),
                                                  TEXT("cleanup", cleanup),
                                                  REAL("margin", margin),
                                                  TEXT("gates", gates),
                                                  MARK("equivalence_90", equivalence_90),
                                                  MARK("sampled", sampled),
                                                  ARRAY("floors", floors, floor_count, floors),
                                                  TEXT("floor_absent", floor_absent),
                                                  MARK("floor_reused", floor_reused),
                                                  END};
#undef STRUCT

/* ---- the order ---- */

static json_t *order_json(const struct slw_experiment *e)
{
    json_t *order = json_array();

    for (size_t b = 0; b < e->block_count; b++) {
        json_t *block = json_array();

        for (size_t i = 0; i < e->arm_count; i++)
            if (json_array_append_new(block, json_integer(e->order[b * e->arm_count + i])) < 0) {
                json_decref(block);
                block = NULL;
            }
        if (json_array_append_new(order, block) < 0) {
            json_decref(order);
            return NULL;
        }
    }
    return order;
}

int slw_experiment_to_json(const struct slw_experiment *e, struct slw_buf *out,
                           struct slw_error *err)
{
    json_t *j = json_object();

    if (json_object_set_new(j, "schema", json_integer(SLW_EXPERIMENT_SCHEMA)) < 0 ||
        slw_fields_into_json(j, slw_experiment_fields, e) < 0 ||
        json_object_set_new(j, "order", order_json(e)) < 0) {
        json_decref(j);
        j = NULL;
    }
    return slw_document_write(j, SLW_EXPERIMENT_JSON, out, err);
}

static int bad_order(const char *name, size_t block, const char *what, struct slw_error *err)
{
    int rc = slw_fail(err, SLW_E_FORMAT, "order[%zu]: %s", block, what);

    slw_error_at(err, "%s: order[%zu]", name, block);
    return rc;
}

/* Every arm once in a block. */
static int read_block(const char *name, const json_t *block, size_t at,
                      const struct slw_experiment *e, struct slw_error *err)
{
    uint16_t *to = e->order + at * e->arm_count;
    bool seen[SLW_MAX_ARMS] = {false};

    if (json_array_size(block) != e->arm_count)
        return bad_order(name, at, "is not a list of all arms", err);
    for (size_t i = 0; i < e->arm_count; i++) {
        const json_t *element = json_array_get(block, i);
        const json_int_t arm = json_integer_value(element);

        if (!json_is_integer(element) || arm < 0 || (size_t)arm >= e->arm_count || seen[arm])
            return bad_order(name, at, "does not name every arm once", err);
        seen[arm] = true;
        to[i] = (uint16_t)arm;
    }
    return 0;
}

static int read_order(const char *name, const json_t *order, struct slw_experiment *e,
                      struct slw_error *err)
{
    const size_t blocks = json_array_size(order);
    int rc = 0;

    if (!json_is_array(order))
        return slw_fail(err, SLW_E_FORMAT, "order: missing, or not a list");
    if (blocks > SLW_MAX_BLOCKS)
        return slw_fail(err, SLW_E_LIMIT, "order: more than %d blocks", SLW_MAX_BLOCKS);
    e->order = slw_arena_array(e->arena, blocks * e->arm_count + 1, sizeof(e->order[0]));
    if (!e->order)
        return slw_fail(err, SLW_E_NOMEM, "no memory for %s", name);
    e->block_count = blocks;
    for (size_t b = 0; b < blocks && rc == 0; b++)
        rc = read_block(name, json_array_get(order, b), b, e, err);
    return rc;
}

static int read_all(const char *name, const json_t *j, struct slw_experiment *e,
                    struct slw_error *err)
{
    int rc = slw_fields_from_json(name, e->arena, slw_experiment_fields, j, e, err);

    if (rc == 0 && e->arm_count == 0)
        rc = slw_fail(err, SLW_E_FORMAT, "arms: an experiment has at least one");
    if (rc == 0 && e->kind == SLW_EXPERIMENT_COMPARE && e->arm_count != 2)
        rc = slw_fail(err, SLW_E_FORMAT, "arms: a comparison has two, not %zu", e->arm_count);
    if (rc == 0)
        rc = read_order(name, json_object_get(j, "order"), e, err);
    if (rc < 0)
        slw_error_at(err, "%s", name);
    return rc;
}

int slw_experiment_from_json(const char *name, const char *text, size_t length,
                             struct slw_experiment **ret_experiment, struct slw_error *err)
{
    struct slw_experiment *e = NULL;
    json_t *j = NULL;
    int rc = slw_document_parse(name, text, length, SLW_EXPERIMENT_SCHEMA, &j, err);

    if (rc == 0)
        rc = slw_experiment_new(&e, err);
    if (rc == 0)
        rc = read_all(name, j, e, err);
    json_decref(j);
    if (rc < 0) {
        slw_experiment_free(e);
        return rc;
    }
    *ret_experiment = e;
    return 0;
}
