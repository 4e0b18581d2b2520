# SPDX-License-Identifier: MIT
"""Read a pprof profile without any of slotwise's code, so that the two can disagree.

Source: the published profile.proto of pprof; field numbers below. Not for hostile input."""
import collections
import gzip
import pathlib

Sample = collections.namedtuple("Sample", "frames values labels")
# Of a stack, leaf first. linkage: the linker's name; file "" and line 0: unknown; inlined: into the
# frame behind it, at the same address.
Frame = collections.namedtuple("Frame", "function module address linkage file line inlined")


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    """(number, value) pairs of one message; sub-messages and strings as bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
            if len(value) != length:
                raise ValueError("truncated")
        else:
            raise ValueError(f"wire type {key & 7} is not in profile.proto")
        yield key >> 3, value


def packed(value):
    if isinstance(value, int):
        return [value]
    numbers, at = [], 0
    while at < len(value):
        number, at = varint(value, at)
        numbers.append(number)
    return numbers


class Profile:
    """sample_types: [(type, unit)]; samples: [Sample]; comments: [str]."""

    def __init__(self, path):
        raw = pathlib.Path(path).read_bytes()
        data = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        parts = collections.defaultdict(list)
        for number, value in fields(data):
            parts[number].append(value)
        self.strings = [s.decode("utf-8", "surrogateescape") for s in parts[6]]
        self.sample_types = [self._value_type(m) for m in parts[1]]
        self._mappings = {m[1]: self._string(m.get(5, 0)) for m in map(dict, map(fields, parts[3]))}
        self.build_ids = {}  # of each mapped file: all that are told, "" where one is not
        for m in map(dict, map(fields, parts[3])):
            self.build_ids.setdefault(self._string(m.get(5, 0)), set()).add(self._string(m.get(6, 0)))
        self._functions = {f[1]: [self._string(f.get(i, 0)) for i in (2, 3, 4)]
                           for f in map(dict, map(fields, parts[5]))}
        self._locations = dict(map(self._location, parts[4]))
        self.samples = [self._sample(m) for m in parts[2]]
        self.comments = [self._string(i) for value in parts[13] for i in packed(value)]

    def _string(self, index):
        return self.strings[index]

    def _value_type(self, message):
        m = dict(fields(message))
        return self._string(m.get(1, 0)), self._string(m.get(2, 0))

    def _location(self, message):
        lines, m = [], {}
        for number, value in fields(message):
            if number == 4:
                lines.append(dict(fields(value)))
            else:
                m[number] = value
        module = self._mappings.get(m.get(2, 0), "")
        named = [(*self._functions[line[1]], line.get(2, 0)) for line in lines if line.get(1)]
        named = named or [("", "", "", 0)]
        return m[1], [Frame(name, module, m.get(3, 0), linkage, file, line, i + 1 < len(named))
                      for i, (name, linkage, file, line) in enumerate(named)]

    def _sample(self, message):
        locations, values, labels = [], [], {}
        for number, value in fields(message):
            if number == 1:
                locations += packed(value)
            elif number == 2:
                values += packed(value)
            elif number == 3:
                label = dict(fields(value))
                labels[self._string(label[1])] = (
                    self._string(label[2]) if label.get(2) else label.get(3, 0))
        frames = [frame for location in locations for frame in self._locations[location]]
        return Sample(frames, values, labels)

    def column(self, type_name):
        return [name for name, _ in self.sample_types].index(type_name)

    def totals(self):
        return [sum(column) for column in zip(*(s.values for s in self.samples))]
