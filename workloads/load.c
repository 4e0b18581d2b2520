/* SPDX-License-Identifier: MIT */
#include "workloads/load.h"

#include "base/clock.h"
#include "base/int128.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

/* ---- random numbers ---- */

uint64_t slw_random_next(struct slw_random *r)
{
    uint64_t z = (r->state += 0x9E3779B97F4A7C15U);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

/* Source: D. Lemire, "Fast random integer generation in an interval", ACM TOMACS 29(1), 2019. */
uint64_t slw_random_below(struct slw_random *r, uint64_t limit)
{
    assert(limit > 0);
    slw_u128 m = (slw_u128)slw_random_next(r) * limit;

    if ((uint64_t)m < limit) {
        const uint64_t threshold = (0 - limit) % limit;
        while ((uint64_t)m < threshold)
            m = (slw_u128)slw_random_next(r) * limit;
    }
    return (uint64_t)(m >> 64);
}

double slw_random_unit(struct slw_random *r)
{
    return (double)(slw_random_next(r) >> 11) * 0x1p-53;
}

/* ---- keys ---- */

/* (exp(x (1 - theta)) - 1) / (1 - theta), which is x where theta is 1. */
static double grown(double theta, double x)
{
    const double power = 1 - theta;

    return fabs(power) < 1e-9 ? x : expm1(x * power) / power;
}

/* Integral of 1 / x^theta from 1. */
static double h_of(double theta, double x)
{
    return grown(theta, log(x));
}

static double h_inverse(double theta, double y)
{
    const double power = 1 - theta;
    const double t = y * power;

    return exp(fabs(power) < 1e-9 ? y : log1p(t > -1 ? t : -1 + 1e-15) / power);
}

void slw_zipf_init(struct slw_zipf *z, uint64_t count, double theta)
{
    assert(count > 0 && theta >= 0);
    *z = (struct slw_zipf){.count = count, .theta = theta};
    z->h_low = h_of(theta, 1.5) - 1;
    z->h_high = h_of(theta, (double)count + 0.5);
    z->shortcut = 2 - h_inverse(theta, h_of(theta, 2.5) - pow(2, -theta));
}

uint64_t slw_zipf_next(const struct slw_zipf *z, struct slw_random *r)
{
    if (z->theta == 0)
        return slw_random_below(r, z->count);
    for (;;) { /* accepts with a chance above 1/2 each time */
        const double u = z->h_high + slw_random_unit(r) * (z->h_low - z->h_high);
        const double x = h_inverse(z->theta, u);
        double k = floor(x + 0.5);

        k = k < 1 ? 1 : k > (double)z->count ? (double)z->count : k;
        if (k - x <= z->shortcut || u >= h_of(z->theta, k + 0.5) - pow(k, -z->theta))
            return (uint64_t)k - 1;
    }
}

/* ---- payloads ---- */

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
static const char filler[] = "\"status\":\"ok\", ";

/* The byte at each place is a function of seed, id and its block of 16: eight of a row of words
 * that repeats, eight at random. */
static void block(uint64_t seed, uint64_t id, uint64_t number, char bytes[16])
{
    struct slw_random r = {seed ^ (id * 0xD1B54A32D192ED03U) ^ (number << 40)};
    uint64_t bits = slw_random_next(&r);

    memcpy(bytes, filler + number % 8, 8);
    for (size_t i = 8; i < 16; i++, bits >>= 6)
        bytes[i] = alphabet[bits & 63];
}

void slw_payload_fill(uint64_t seed, uint64_t id, void *bytes, size_t length)
{
    char part[16];

    for (size_t at = 0; at < length; at += sizeof(part)) {
        const size_t n = length - at < sizeof(part) ? length - at : sizeof(part);
        block(seed, id, at / sizeof(part), part);
        memcpy((char *)bytes + at, part, n);
    }
}

bool slw_payload_is(uint64_t seed, uint64_t id, const void *bytes, size_t length)
{
    char part[16];

    for (size_t at = 0; at < length; at += sizeof(part)) {
        const size_t n = length - at < sizeof(part) ? length - at : sizeof(part);
        block(seed, id, at / sizeof(part), part);
        if (memcmp((const char *)bytes + at, part, n) != 0)
            return false;
    }
    return true;
}

/* ---- arrivals ---- */

void slw_arrivals_init(struct slw_arrivals *a, double rate, uint64_t seed, uint64_t start_ns)
{
    assert(rate > 0);
    *a = (struct slw_arrivals){.random = {seed}, .mean_ns = 1e9 / rate, .start_ns = start_ns};
}

uint64_t slw_arrivals_next(struct slw_arrivals *a)
{
    a->next_ns += -log1p(-slw_random_unit(&a->random)) * a->mean_ns;
    return a->start_ns + (uint64_t)a->next_ns;
}

#define AWAKE_NS 60000 /* a sleep of the kernel ends some 50 us late */

void slw_wait_until(uint64_t due_ns)
{
    uint64_t now = slw_clock_monotonic_ns();

    if (now + AWAKE_NS < due_ns) {
        const uint64_t until = due_ns - AWAKE_NS;
        const struct timespec t = {(time_t)(until / 1000000000U), (long)(until % 1000000000U)};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
            continue;
    }
    while (slw_clock_monotonic_ns() < due_ns)
        __asm__ __volatile__("" ::: "memory");
}
