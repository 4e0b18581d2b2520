# SPDX-License-Identifier: MIT
"""The samples of a perf.data file, read without slotwise, to check slotwise by.

Only what tests/pmu needs: one kind of sample, little-endian, not compressed.
Source: linux tools/perf/Documentation/perf.data-file-format.txt, perf_event_open(2).
"""
import struct
from collections import namedtuple

Sample = namedtuple("Sample", "ip pid tid time_ns cpu period chain user read")

IP, TID, TIME, ADDR, READ, CALLCHAIN, ID, CPU, PERIOD = (1 << n for n in range(9))
STREAM_ID, IDENTIFIER = 1 << 9, 1 << 16
RECORD_SAMPLE, RECORD_THROTTLE = 9, 5
CONTEXT_LIMIT = 2**64 - 4096  # markers such as PERF_CONTEXT_USER are above


def _parse_sample(body, sample_type, read_format, user):
    at = 0

    def take(fmt):
        nonlocal at
        values = struct.unpack_from("<" + fmt, body, at)
        at += struct.calcsize("<" + fmt)
        return values if len(values) > 1 else values[0]

    def take_read():
        """-> {id: value} of a group; the times are left out."""
        if read_format & 0x1f != 0xf:
            raise ValueError("counters are expected as a group with ids and times")
        count = take("Q")
        take("QQ")
        pairs = [take("QQ") for _ in range(count)]
        return {identifier: value for value, identifier in pairs}

    ip = pid = tid = time_ns = cpu = period = 0
    chain, values = [], {}
    if sample_type & IDENTIFIER:
        take("Q")
    if sample_type & IP:
        ip = take("Q")
    if sample_type & TID:
        pid, tid = take("II")
    if sample_type & TIME:
        time_ns = take("Q")
    for unused in (ADDR, ID, STREAM_ID):
        if sample_type & unused:
            take("Q")
    if sample_type & CPU:
        cpu = take("II")[0]
    if sample_type & PERIOD:
        period = take("Q")
    if sample_type & READ:
        values = take_read()
    if sample_type & CALLCHAIN:
        count = take("Q")
        chain = [a for a in struct.unpack_from(f"<{count}Q", body, at) if a < CONTEXT_LIMIT]
    return Sample(ip, pid, tid, time_ns, cpu, period, chain, user, values)


def read(path):
    """-> (samples, number of THROTTLE records)."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:8] != b"PERFILE2":
        raise ValueError(f"{path}: not a perf.data file")
    attrs_at, = struct.unpack_from("<Q", data, 24)
    at, length = struct.unpack_from("<QQ", data, 40)
    sample_type, read_format = struct.unpack_from("<QQ", data, attrs_at + 24)
    samples, throttled, end = [], 0, at + length
    while at < end:
        kind, misc, size = struct.unpack_from("<IHH", data, at)
        if size < 8:
            raise ValueError(f"{path}: a record of {size} bytes at {at}")
        if kind == RECORD_SAMPLE:
            samples.append(_parse_sample(data[at + 8:at + size], sample_type, read_format,
                                         misc & 7 == 2))
        throttled += kind == RECORD_THROTTLE
        at += size
    return samples, throttled
