/* SPDX-License-Identifier: MIT */
#include "record/stacks_merge.h"

#include <stdlib.h>
#include <string.h>

/* Ids of `from` as *into has them. */
struct ids {
    uint32_t *mappings, *frames, *threads, *paths;
    size_t columns[SLW_MAX_COLUMNS]; /* of *into, by column of `from` */
};

static bool same_source(const struct slw_provenance *a, const struct slw_provenance *b)
{
    return a->source == b->source && a->imported == b->imported;
}

/* A round in which an event had no samples has no columns of it: *into has those of all rounds. */
static int match_columns(struct slw_stacks *into, const struct slw_stacks *from, struct ids *ids,
                         struct slw_error *err)
{
    for (size_t i = 0; i < slw_stacks_column_count(from); i++) {
        const struct slw_column *c = slw_stacks_column(from, i);
        int at = slw_stacks_find_column(into, c->event, c->unit);

        if (at < 0) {
            at = (int)slw_stacks_column_count(into);
            int rc = slw_stacks_add_column(into, c);
            if (rc < 0)
                return slw_fail(err, (enum slw_code) - rc, "cannot put the samples together");
        } else if (!same_source(&slw_stacks_column(into, (size_t)at)->from, &c->from)) {
            return slw_fail(err, SLW_E_INVAL, "'%.60s' was not measured in one way", c->event);
        }
        ids->columns[i] = (size_t)at;
    }
    return 0;
}

static int make_like(const struct slw_stacks *from, struct slw_stacks **ret, struct slw_error *err)
{
    return slw_stacks_new(slw_stacks_column(from, 0), slw_stacks_column_count(from), ret, err);
}

static int copy_mappings(struct slw_stacks *into, const struct slw_stacks *from,
                         const struct slw_stacks_names *names, struct ids *ids)
{
    int rc = 0;

    for (uint32_t i = 0; i < slw_stacks_mapping_count(from) && rc == 0; i++) {
        struct slw_mapping m = slw_stacks_mapping(from, i);

        m.start = m.limit = m.offset = 0;
        if (names)
            m.path = names->modules[i];
        rc = slw_stacks_add_mapping(into, &m, &ids->mappings[i]);
    }
    return rc;
}

static int copy_frames(struct slw_stacks *into, const struct slw_stacks *from, struct ids *ids)
{
    int rc = 0;

    for (uint32_t i = 0; i < slw_stacks_frame_count(from) && rc == 0; i++) {
        struct slw_frame f = slw_stacks_frame(from, i);

        if (f.mapping != SLW_NO_MAPPING)
            f.mapping = ids->mappings[f.mapping];
        rc = slw_stacks_add_frame(into, &f, &ids->frames[i]);
    }
    return rc;
}

static int copy_threads(struct slw_stacks *into, const struct slw_stacks *from,
                        const struct slw_stacks_names *names, struct ids *ids)
{
    int rc = 0;

    for (uint32_t i = 0; i < slw_stacks_thread_count(from) && rc == 0; i++) {
        const struct slw_thread t = {names ? names->threads[i] : slw_stacks_thread(from, i).comm,
                                     -1, -1};

        rc = slw_stacks_add_thread(into, &t, &ids->threads[i]);
    }
    return rc;
}

/* Callers come before what they call. */
static int copy_paths(struct slw_stacks *into, const struct slw_stacks *from, struct ids *ids)
{
    int rc = 0;

    for (uint32_t i = 0; i < slw_stacks_path_count(from) && rc == 0; i++) {
        const struct slw_path p = slw_stacks_path(from, i);

        if (p.caller != SLW_NO_PATH)
            rc = slw_stacks_step(into, ids->paths[p.caller], ids->frames[p.id], &ids->paths[i]);
        else
            rc = slw_stacks_root(into, p.id == SLW_NO_THREAD ? p.id : ids->threads[p.id],
                                 &ids->paths[i]);
    }
    return rc;
}

static int copy_weights(struct slw_stacks *into, const struct slw_stacks *from,
                        const struct ids *ids)
{
    uint64_t weights[SLW_MAX_COLUMNS];
    int rc = 0;

    for (size_t i = 0; i < slw_stacks_count(from) && rc == 0; i++) {
        const uint64_t *theirs = slw_stacks_weights(from, i);

        memset(weights, 0, sizeof(weights));
        for (size_t c = 0; c < slw_stacks_column_count(from); c++)
            weights[ids->columns[c]] += theirs[c];
        rc = slw_stacks_weigh(into, ids->paths[slw_stacks_leaf(from, i)], weights);
    }
    return rc;
}

static int allocate(struct ids *ids, const struct slw_stacks *from)
{
    ids->mappings = calloc(slw_stacks_mapping_count(from) + 1, sizeof(ids->mappings[0]));
    ids->frames = calloc(slw_stacks_frame_count(from) + 1, sizeof(ids->frames[0]));
    ids->threads = calloc(slw_stacks_thread_count(from) + 1, sizeof(ids->threads[0]));
    ids->paths = calloc(slw_stacks_path_count(from) + 1, sizeof(ids->paths[0]));
    return ids->mappings && ids->frames && ids->threads && ids->paths ? 0 : -SLW_E_NOMEM;
}

static int copy_all(struct slw_stacks *into, const struct slw_stacks *from,
                    const struct slw_stacks_names *names, struct ids *ids)
{
    int rc = allocate(ids, from);

    if (rc == 0)
        rc = copy_mappings(into, from, names, ids);
    if (rc == 0)
        rc = copy_frames(into, from, ids);
    if (rc == 0)
        rc = copy_threads(into, from, names, ids);
    return rc == 0 ? copy_paths(into, from, ids) : rc;
}

static void release(struct ids *ids)
{
    free(ids->mappings);
    free(ids->frames);
    free(ids->threads);
    free(ids->paths);
}

static int failed(struct slw_error *err, int rc)
{
    return slw_fail(err, (enum slw_code) - rc, "cannot put the samples together");
}

int slw_stacks_copy_paths(struct slw_stacks *into, const struct slw_stacks *from,
                          const struct slw_stacks_names *names, uint32_t *ret_paths,
                          struct slw_error *err)
{
    struct ids ids = {0};
    int rc = copy_all(into, from, names, &ids);

    if (rc == 0 && ret_paths)
        memcpy(ret_paths, ids.paths, slw_stacks_path_count(from) * sizeof(ids.paths[0]));
    release(&ids);
    return rc < 0 ? failed(err, rc) : 0;
}

int slw_stacks_merge(struct slw_stacks **into, const struct slw_stacks *from, uint32_t *ret_paths,
                     struct slw_error *err)
{
    struct ids ids = {0};
    int rc = *into ? 0 : make_like(from, into, err);

    if (rc == 0)
        rc = match_columns(*into, from, &ids, err);
    if (rc < 0)
        return rc;
    rc = copy_all(*into, from, NULL, &ids);
    if (rc == 0)
        rc = copy_weights(*into, from, &ids);
    if (rc == 0 && ret_paths)
        memcpy(ret_paths, ids.paths, slw_stacks_path_count(from) * sizeof(ids.paths[0]));
    release(&ids);
    return rc < 0 ? failed(err, rc) : 0;
}
