/* SPDX-License-Identifier: MIT */
/* Short words for rows of a field table (run_json_int.h); STRUCT is defined to the struct that the
 * table describes. Only for files that hold tables. */
#ifndef SLW_RECORD_FIELD_MACROS_INT_H
#define SLW_RECORD_FIELD_MACROS_INT_H

#include "record/run_json_int.h"

#include <limits.h>
#include <stddef.h>

/* clang-format off */
#define AT(member)               .offset = offsetof(struct STRUCT, member)
#define NAME(k, m)               {.key = k, .kind = SLW_FIELD_NAME, AT(m)}
#define TEXT(k, m)               {.key = k, .kind = SLW_FIELD_TEXT, AT(m)}
#define U64(k, m)                {.key = k, .kind = SLW_FIELD_U64, AT(m)}
#define STAMP(k, m)              {.key = k, .kind = SLW_FIELD_STAMP, AT(m)}
#define COUNTED(k, m)            {.key = k, .kind = SLW_FIELD_COUNTED, AT(m)}
#define MAYBE(k, m)              {.key = k, .kind = SLW_FIELD_MAYBE, AT(m)}
#define ABSENT(k, m)             {.key = k, .kind = SLW_FIELD_ABSENT, AT(m)}
#define REASON(k, m, of)         {.key = k, .kind = SLW_FIELD_REASON, AT(m), \
                                  .other = offsetof(struct STRUCT, of)}
#define INT(k, m, none, low, up) {.key = k, .kind = SLW_FIELD_INT, AT(m), .unknown = (none), \
                                  .min = (low), .max = (up)}
#define NATURAL(k, m)            INT(k, m, -1, 0, INT_MAX)
#define EXIT(k, m, of)           {.key = k, .kind = SLW_FIELD_EXIT, AT(m), \
                                  .other = offsetof(struct STRUCT, of)}
#define MARK(k, m)               {.key = k, .kind = SLW_FIELD_MARK, AT(m)}
#define FLAG(k, m)               {.key = k, .kind = SLW_FIELD_FLAG, AT(m)}
#define ENUM(k, m, n)            {.key = k, .kind = SLW_FIELD_ENUM, AT(m), .names = (n)}
#define TEXTS(k, m, count)       {.key = k, .kind = SLW_FIELD_TEXTS, AT(m), \
                                  .other = offsetof(struct STRUCT, count)}
#define NUMBERS(k, m, count)     {.key = k, .kind = SLW_FIELD_NUMBERS, AT(m), \
                                  .other = offsetof(struct STRUCT, count)}
#define SOME_NUMBERS(k, m, count) {.key = k, .kind = SLW_FIELD_SOME_NUMBERS, AT(m), \
                                  .other = offsetof(struct STRUCT, count)}
#define REAL(k, m)               {.key = k, .kind = SLW_FIELD_REAL, AT(m)}
#define REALS(k, m, count)       {.key = k, .kind = SLW_FIELD_REALS, AT(m), \
                                  .other = offsetof(struct STRUCT, count)}
#define OBJECT(k, m, f)          {.key = k, .kind = SLW_FIELD_OBJECT, AT(m), .fields = (f)}
#define LIST(k, m, count, l)     {.key = k, .kind = SLW_FIELD_LIST, AT(m), \
                                  .other = offsetof(struct STRUCT, count), .list = &(l)}
#define SOME(k, m, count, l)     {.key = k, .kind = SLW_FIELD_SOME, AT(m), \
                                  .other = offsetof(struct STRUCT, count), .list = &(l)}
#define ARRAY(k, m, count, l)    {.key = k, .kind = SLW_FIELD_ARRAY, AT(m), \
                                  .other = offsetof(struct STRUCT, count), .list = &(l)}
#define END                      {.kind = SLW_FIELD_END}
/* clang-format on */

#endif
