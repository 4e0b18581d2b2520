/* SPDX-License-Identifier: MIT */
/* Parca: ProfileStoreService/WriteRaw, a unary call of gRPC. Source: Parca's
 * proto/parca/profilestore/v1alpha1/profilestore.proto; gRPC over HTTP/2, "Requests". */
#include "push/encode.h"
#include "push/kind.h"

/* Field numbers of the messages named. */
enum { LABEL_NAME = 1, LABEL_VALUE = 2, LABEL_SET_LABELS = 1, RAW_PROFILE = 1 };
enum { SERIES_LABELS = 1, SERIES_SAMPLES = 2, REQUEST_SERIES = 2, REQUEST_NORMALIZED = 3 };

/* Appends `part` as a field and empties it. */
static void put_part(struct slw_buf *out, unsigned number, struct slw_buf *part)
{
    slw_push_put_field(out, number, part->data, part->length);
    if (slw_buf_failed(part))
        out->failed = true;
    slw_buf_release(part);
    *part = (struct slw_buf){0};
}

static void put_text(struct slw_buf *out, unsigned number, const char *text)
{
    size_t length = 0;

    while (text[length])
        length++;
    slw_push_put_field(out, number, text, length);
}

static void put_label(struct slw_buf *set, const char *name, const char *value)
{
    struct slw_buf label = {0};

    put_text(&label, LABEL_NAME, name);
    put_text(&label, LABEL_VALUE, value);
    put_part(set, LABEL_SET_LABELS, &label);
}

static void put_series(struct slw_buf *message, const struct slw_push_item *item)
{
    struct slw_buf set = {0}, sample = {0}, series = {0};

    put_label(&set, "__name__", "process_cpu");
    put_label(&set, "service_name", item->service);
    put_label(&set, "instance", item->instance);
    for (size_t i = 0; i < item->label_count; i++)
        put_label(&set, item->labels[i].name, item->labels[i].value);
    put_part(&series, SERIES_LABELS, &set);
    slw_push_put_field(&sample, RAW_PROFILE, item->data, item->length);
    put_part(&series, SERIES_SAMPLES, &sample);
    put_part(message, REQUEST_SERIES, &series);
}

/* Addresses of a slotwise profile are offsets in the files, which is what normalized says. */
static int request(const struct slw_push_item *item, struct slw_push_request *ret_request,
                   struct slw_error *err)
{
    struct slw_buf *out = &ret_request->body, message = {0};

    put_series(&message, item);
    slw_buf_putc(&message, REQUEST_NORMALIZED << 3);
    slw_buf_putc(&message, 1);
    if (message.length > UINT32_MAX) {
        slw_buf_release(&message);
        return slw_fail(err, SLW_E_LIMIT, "the profile is too large for one message of gRPC");
    }
    slw_buf_putc(out, 0); /* not compressed: the profile is */
    for (int shift = 24; shift >= 0; shift -= 8)
        slw_buf_putc(out, (char)(message.length >> shift & 0xff));
    slw_buf_put(out, message.data, message.length);
    if (slw_buf_failed(&message))
        out->failed = true;
    slw_buf_release(&message);
    return 0;
}

const struct slw_push_kind slw_push_kind_parca = {
    .name = "parca",
    .what = SLW_PUSH_PROFILE,
    .summary = "Parca's gRPC service",
    .ending = "/parca.profilestore.v1alpha1.ProfileStoreService/WriteRaw",
    .method = "POST",
    .content_type = "application/grpc",
    .grpc = true,
    .request = request,
};
