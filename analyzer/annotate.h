/* SPDX-License-Identifier: MIT */
/* Where the weight of a function lies: its instructions and source lines, from the program that is
 * here. Refuses a program that is not the one that ran. */
#ifndef SLW_ANALYZER_ANNOTATE_H
#define SLW_ANALYZER_ANNOTATE_H

#include "base/buf.h"
#include "record/stacks.h"

struct slw_arena;

struct slw_annotate_request {
    const char *function;  /* as shown, or the linker's name */
    const char *module;    /* path or its last part; NULL: where it weighs most */
    size_t column;         /* whose weights */
    const char *debug_dir; /* NULL: /usr/lib/debug */
};

struct slw_annotated_instruction {
    uint64_t address; /* as the file has it: what objdump prints */
    uint32_t bytes;
    const char *text;    /* "add rax, rbx"; "(bad)" where nothing can be decoded */
    const char *inlined; /* innermost call that the compiler expanded here; "" none */
    uint32_t source;     /* position; SLW_NO_SOURCE unknown */
    uint32_t line;       /* 0 unknown */
    uint64_t self;       /* sampled here */
    uint64_t total;      /* sampled here or in what was called from here */
};
#define SLW_NO_SOURCE UINT32_MAX

struct slw_annotated_line {
    uint32_t line;
    uint64_t self, total;
    const char *text; /* NULL: the file is not to be had */
};

struct slw_annotated_source {
    const char *path;
    const char *absent;               /* why there is no text; NULL: there is */
    bool newer;                       /* changed since the program was built: lines may differ */
    struct slw_annotated_line *lines; /* those with instructions and those between, ascending */
    size_t line_count;
};

struct slw_annotation {
    struct slw_arena *arena;
    const char *function, *linkage, *module;
    const char *event, *unit;
    uint64_t self, total; /* of the function */
    uint64_t all;         /* of the profile */
    bool unchecked;       /* the recording does not say which build of the program it was */
    struct slw_annotated_instruction *instructions;
    size_t instruction_count;
    struct slw_annotated_source *sources;
    size_t source_count;
};

#define SLW_MAX_ANNOTATED_BYTES   ((uint64_t)4 << 20) /* of code of one function */
#define SLW_MAX_ANNOTATED_SOURCES 256

/* Heap, free with slw_annotation_free (NULL allowed). -SLW_E_NOTFOUND: no sample has the function
 * (the hint tells what comes near, or what it was inlined into); -SLW_E_NODATA: its code is not to
 * be had here (kernel, JIT, missing or replaced program); -SLW_E_NOMEM, -SLW_E_LIMIT. */
int slw_annotate(const struct slw_stacks *s, const struct slw_annotate_request *request,
                 struct slw_annotation **ret_annotation, struct slw_error *err);
void slw_annotation_free(struct slw_annotation *a);

/* For a terminal of `width` columns, or a file (0). */
void slw_annotation_text(const struct slw_annotation *a, int width, struct slw_buf *out);

/* Several, those that weigh most first. */
struct slw_annotations {
    struct slw_annotation **list;
    size_t count;
};

/* The functions with the largest self weight whose code is to be had here, at most `most` of as
 * many that were tried: what cannot be annotated is left out. 0 or -SLW_E_NOMEM; release in any
 * case. */
int slw_annotate_hottest(const struct slw_stacks *s, size_t column, size_t most,
                         struct slw_annotations *ret_annotations, struct slw_error *err);
void slw_annotations_release(struct slw_annotations *a);

struct json_t;
/* near 0: all instructions (docs/annotate.md); else those with weight and so many around them.
 * NULL: out of memory. */
struct json_t *slw_annotation_json(const struct slw_annotation *a, size_t near);

#endif
