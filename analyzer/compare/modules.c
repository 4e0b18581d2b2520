/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/modules.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Files that only one profile has and that are worth a look: a client and its libraries. */
#define MAX_ALONE 32

/* A file of one profile that the other does not have, with the names of its functions. */
struct alone {
    const char *path;
    size_t names, shared[MAX_ALONE]; /* with each of the other profile */
    bool taken;
};

struct name {
    const char *function; /* interned by its profile */
    size_t file;
};

struct files {
    const struct slw_stacks *stacks;
    struct alone alone[MAX_ALONE];
    size_t count;
    struct name *names; /* heap, each once */
    uint32_t name_count;
    struct slw_index index;
};

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

/* "[vdso]" and the like are what they are called. */
static bool is_file(const char *path)
{
    return path[0] != '\0' && path[0] != '[';
}

static const char *path_of(const struct slw_stacks *s, size_t mapping)
{
    return slw_stacks_mapping(s, (uint32_t)mapping).path;
}

/* The path by which s has the file: the same, or one that ends alike; NULL: neither. */
static const char *counterpart(const struct slw_stacks *s, const char *path)
{
    const char *alike = NULL;

    for (size_t i = 0; i < slw_stacks_mapping_count(s); i++) {
        const char *other = path_of(s, i);

        if (strcmp(other, path) == 0)
            return other;
        if (!alike && is_file(path) && is_file(other) &&
            strcmp(last_part(other), last_part(path)) == 0)
            alike = other;
    }
    return alike;
}

static void list_alone(struct files *f, const struct slw_stacks *other)
{
    for (size_t i = 0; i < slw_stacks_mapping_count(f->stacks); i++) {
        const char *path = path_of(f->stacks, i);
        size_t at = 0;

        while (at < f->count && strcmp(f->alone[at].path, path) != 0)
            at++;
        if (at == f->count && at < MAX_ALONE && is_file(path) && !counterpart(other, path))
            f->alone[f->count++].path = path;
    }
}

static bool name_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct name *a = &((const struct files *)ctx)->names[position], *b = key;

    return a->file == b->file && strcmp(a->function, b->function) == 0;
}

static uint64_t name_hash(const struct name *n)
{
    assert(n->function);
    return slw_hash_key(n->function, strlen(n->function), n->file);
}

static bool find_name(const struct files *f, const struct name *n)
{
    uint32_t position;

    return slw_index_find(&f->index, name_hash(n), name_equal, f, n, &position);
}

static int collect_name(struct files *f, uint32_t frame)
{
    const struct slw_frame frame_of = slw_stacks_frame(f->stacks, frame);
    struct name n = {.function = frame_of.function};

    if (!n.function[0] || frame_of.mapping == SLW_NO_MAPPING)
        return 0;
    const char *path = path_of(f->stacks, frame_of.mapping);
    while (n.file < f->count && strcmp(f->alone[n.file].path, path) != 0)
        n.file++;
    if (n.file == f->count || find_name(f, &n))
        return 0;
    if (slw_index_add(&f->index, name_hash(&n), f->name_count) < 0)
        return -SLW_E_NOMEM;
    f->names[f->name_count++] = n;
    f->alone[n.file].names++;
    return 0;
}

static int collect_names(struct files *f)
{
    const size_t frames = slw_stacks_frame_count(f->stacks);
    int rc = 0;

    f->names = calloc(frames + 1, sizeof(*f->names));
    if (!f->names)
        return -SLW_E_NOMEM;
    for (uint32_t i = 0; rc == 0 && i < frames; i++)
        rc = collect_name(f, i);
    return rc;
}

static void count_shared(const struct files *a, struct files *b)
{
    for (uint32_t i = 0; i < b->name_count; i++)
        for (size_t file = 0; file < a->count; file++) {
            const struct name n = {b->names[i].function, file};
            b->alone[b->names[i].file].shared[file] += find_name(a, &n);
        }
}

static bool alike(const struct alone *a, const struct alone *b, size_t shared)
{
    const size_t fewer = a->names < b->names ? a->names : b->names;

    return !a->taken && !b->taken && shared > 0 && 2 * shared >= fewer;
}

/* Give the pairs with the most names in common to each other. */
static void pair_files(struct files *a, struct files *b, const char **paths)
{
    for (;;) {
        struct alone *best_a = NULL, *best_b = NULL;
        size_t most = 0;

        for (size_t i = 0; i < b->count; i++)
            for (size_t k = 0; k < a->count; k++)
                if (b->alone[i].shared[k] > most &&
                    alike(&a->alone[k], &b->alone[i], b->alone[i].shared[k])) {
                    best_a = &a->alone[k];
                    best_b = &b->alone[i];
                    most = b->alone[i].shared[k];
                }
        if (!best_a || !best_b)
            return;
        best_a->taken = best_b->taken = true;
        for (size_t i = 0; i < slw_stacks_mapping_count(b->stacks); i++)
            if (strcmp(paths[i], best_b->path) == 0)
                paths[i] = best_a->path;
    }
}

static void files_release(struct files *f)
{
    free(f->names);
    slw_index_release(&f->index);
}

int slw_modules_match(const struct slw_stacks *a, const struct slw_stacks *b,
                      const char **ret_paths)
{
    struct files left = {.stacks = a}, right = {.stacks = b};
    int rc = 0;

    list_alone(&left, b);
    list_alone(&right, a);
    for (size_t i = 0; i < slw_stacks_mapping_count(b); i++) {
        const char *same = counterpart(a, path_of(b, i));
        ret_paths[i] = same ? same : path_of(b, i);
    }
    if (left.count > 0 && right.count > 0) {
        rc = collect_names(&left);
        if (rc == 0)
            rc = collect_names(&right);
        if (rc == 0) {
            count_shared(&left, &right);
            pair_files(&left, &right, ret_paths);
        }
    }
    files_release(&left);
    files_release(&right);
    return rc;
}

/* ---- threads ---- */

#define COMM_LENGTH 15 /* TASK_COMM_LEN of the kernel, without the NUL */

static const char *find_thread(const struct slw_stacks *s, const char *comm)
{
    for (uint32_t i = 0; i < slw_stacks_thread_count(s); i++)
        if (strcmp(slw_stacks_thread(s, i).comm, comm) == 0)
            return slw_stacks_thread(s, i).comm;
    return NULL;
}

static bool is_called_after(const char *comm, const char *path)
{
    return strncmp(comm, last_part(path), COMM_LENGTH) == 0;
}

/* The thread of a that is called after the file as this one is after its own; NULL: none. */
static const char *called_alike(const struct slw_stacks *a, const struct slw_stacks *b,
                                const char *const *paths, const char *comm)
{
    for (size_t i = 0; i < slw_stacks_mapping_count(b); i++) {
        if (strcmp(paths[i], path_of(b, i)) == 0 || !is_called_after(comm, path_of(b, i)))
            continue;
        for (uint32_t k = 0; k < slw_stacks_thread_count(a); k++)
            if (is_called_after(slw_stacks_thread(a, k).comm, paths[i]))
                return slw_stacks_thread(a, k).comm;
    }
    return NULL;
}

static bool is_taken(const char *const *names, size_t count, const char *comm)
{
    for (size_t i = 0; i < count; i++) {
        assert(names[i]);
        if (strcmp(names[i], comm) == 0)
            return true;
    }
    return false;
}

/* The only name of a that no thread of b has by now; NULL: there is none, or several. */
static const char *only_left(const struct slw_stacks *a, const char *const *names, size_t count)
{
    const char *left = NULL;

    for (uint32_t i = 0; i < slw_stacks_thread_count(a); i++) {
        const char *comm = slw_stacks_thread(a, i).comm;

        if (is_taken(names, count, comm) || (left && strcmp(left, comm) == 0))
            continue;
        if (left)
            return NULL;
        left = comm;
    }
    return left;
}

void slw_threads_match(const struct slw_stacks *a, const struct slw_stacks *b,
                       const char *const *paths, const char **ret_names)
{
    const size_t count = slw_stacks_thread_count(b);
    const char *alone = NULL;
    bool several = false;

    for (uint32_t i = 0; i < count; i++) {
        const char *comm = slw_stacks_thread(b, i).comm;
        const char *alike = find_thread(a, comm) ? comm : called_alike(a, b, paths, comm);

        assert(comm);
        ret_names[i] = alike ? alike : comm;
        several = several || (!alike && alone && strcmp(alone, comm) != 0);
        if (!alike)
            alone = comm;
    }
    const char *left = alone && !several ? only_left(a, ret_names, count) : NULL;
    for (uint32_t i = 0; left && i < count; i++)
        if (strcmp(ret_names[i], alone) == 0)
            ret_names[i] = left;
}
