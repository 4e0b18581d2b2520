/* SPDX-License-Identifier: MIT */
/* What the json renderers of a comparison, a sweep and a history write, made up: small, and with
 * one of everything that a page must show. */

const side = (value, values, unit) => ({ value, absent: value === null ? "not counted" : null, source: "software",
  imported: false, source_detail: null, step: 0, values: values || [], unit });

/* a, b: medians; half: of the interval, as a logarithm. */
function metric(name, title, unit, a, b, half, word, more = {}) {
  const estimate = a === null || b === null ? 0 : Math.log(b / a);
  const around = (v, i) => v === null ? null : v * (1 + 0.01 * Math.sin(7 * i + v));
  const rounds = Array.from({ length: 12 }, (_, i) => i);
  const percent = (v) => `${v > 0 ? "+" : ""}${(100 * (Math.exp(v) - 1)).toFixed(1)} %`;
  const absent = a === null || b === null ? "one side did not count it" : null;
  return {
    metric: name, title, unit, better: "lower", rank: "shown", alias_of: null, headline: false,
    a: side(a, rounds.map((i) => around(a, i)), unit), b: side(b, rounds.map((i) => around(b, i + 3)), unit),
    pairs: { used: 12, dropped: 0 }, absent,
    difference: absent ? null : { kind: "log-ratio", estimate, low: estimate - half, high: estimate + half,
      ratio: Math.exp(estimate), ratio_low: Math.exp(estimate - half), ratio_high: Math.exp(estimate + half),
      enough: true, equal: false, level: 0.95, p: 0.001 },
    judgement: absent ? null : { word, too_few: false, few: false, unsettled: false, margin: Math.log(1.02), margin_from: "asked" },
    why: null, forecast: word === "inconclusive" ? { more_rounds: 18, margin: null } : null,
    floor: { floor: 0.008, estimate: 0.001, low: -0.004, high: 0.006, pairs: 12, tests: 1, weak: true, differs: false },
    starred: false, deterministic: false, gate: null, regimes_a: null, regimes_b: null, drift: null, drift_sure: false,
    shown: { change: absent || percent(estimate), interval: absent ? "" : `[${percent(estimate - half)}, ${percent(estimate + half)}]`,
      remark: word === "inconclusive" ? "about 18 more rounds (could be a third of that)" : "",
      a: a === null ? "not counted" : `${a} ${unit}`, b: b === null ? "not counted" : `${b} ${unit}`,
      word: word === "no-change" ? "no change" : word },
    ...more,
  };
}

function change(name, module, a, b, real, more = {}) {
  const half = Math.abs(b - a) * (real ? 0.3 : 2) + 1;
  return { function: name, module, kind: "user", a, b, judged: true, real, low: b - a - half, high: b - a + half,
    only_a: false, only_b: false, ...more };
}

export function comparison(more = {}) {
  const arm = (name, command) => ({ name, command, argv: command.split(" "), tool: "slotwise test",
    started_realtime_ns: 1789000000000000000, arm: name, hostname: "bench-1", cpu: "Made-up CPU 4000",
    kernel: "6.1.0-18-amd64", labels: [] });
  return {
    schema: 1, kind: "comparison",
    verdict: "B costs 35 % less CPU time per request than A: 13.0 us instead of 20.0 us (95 % 33 % to 37 % less).",
    basis: "12 interleaved pairs, software tier; margin 2 %, noise floor 0.8 %",
    gate: { word: "regressed", reason: "p99 rose by 120 %, more than the 5 % allowed", asked: true },
    interleaved: true, forced: false, margin: 0.02, equivalence_90: false, alpha: 0.05, alpha_gated: 0.025,
    a: arm("A", "client --batch 1"), b: arm("B", "client --batch 16"),
    experiment: { id: "00112233445566aa", seed: 42, started_realtime_ns: 1789000000000000000, warmup: 1, blocks: 12,
      automatic: true, stopped: "settled", setup: null, prepare: "redis-cli flushall", cleanup: null,
      gates: "cpu_per_request>+3%,p99>+5%", floor_absent: null, floor_reused: false },
    main_metric: "cpu_per_request",
    metrics: [
      metric("cpu_per_request", "CPU time per request", "us", 20, 13, 0.03, "improved", { rank: "gated", headline: true,
        gate: { rule: "cpu_per_request>+3%", above: true, bound: 0.03, word: "passed" }, starred: true }),
      metric("p99", "latency p99", "us", 140, 310, 0.2, "regressed", { rank: "gated", headline: true, starred: true,
        gate: { rule: "p99>+5%", above: true, bound: 0.05, word: "failed" }, drift: 0.04, drift_sure: true }),
      metric("p50", "latency p50", "us", 95, 96, 0.05, "inconclusive", { headline: true }),
      metric("requests_per_second", "requests per second", "requests/s", 41000, 41200, 0.004, "no-change", { headline: true, better: "higher" }),
      metric("requests_per_flush", "requests per flush", "requests", 1, 16, 0.0001, "improved", { headline: true, deterministic: true }),
      metric("ipc", "instructions per cycle", "1", null, null, 0, "inconclusive"),
      metric("bytes_sent", "bytes sent per request", "bytes", 60, 59.9, 0.001, "no-change"),
      metric("context_switches", "context switches per request", "1", 0.15, 0.045, 0.1, "improved"),
      metric("client.tps", "tps, as the client says", "1/s", 41010, 41190, 0.004, "no-change", { rank: "alias", alias_of: "requests_per_second" }),
    ],
    causes: [
      { id: "batching", text: "16.0 requests a flush instead of 1.0: 94 % of the send and recv calls are gone", share: 0.72 },
      { id: "switches", text: "0.045 context switches a request instead of 0.15", share: null },
    ],
    functions: [
      change("tcp_sendmsg", "[kernel.kallsyms]", 1100, 300, true),
      change("Socket::write", "/opt/client", 900, 0, true, { only_a: true }),
      change("Socket::writev", "/opt/client", 0, 800, true, { only_b: true }),
      change("Buffer::append", "/opt/client", 400, 900, true),
      change("memcpy", "/usr/lib/libc.so.6", 300, 310, false),
      change("PQgetResult", "/usr/lib/libpq.so.5", 40, 50, false, { judged: false }),
    ],
    functions_absent: null,
    mismatches: [{ what: "kernel", a: "6.1.0-17-amd64", b: "6.1.0-18-amd64", severe: false, downgrades: false }],
    notes: [{ level: "warning", code: "weak-floor", text: "the noise floor rests on 1 A/A test", hint: "run the comparison again: floors are kept" }],
    ...more,
  };
}

const figure = (value, unit, half = 0.02) => ({ value, low: value * (1 - half), high: value * (1 + half), unit, absent: null,
  source: "software", imported: false, source_detail: null });

export function sweep(more = {}) {
  const batches = [1, 2, 4, 8, 16, 32, 64];
  const triple = (v, part = 0.05) => ({ value: v, low: v * (1 - part), high: v * (1 + part) });
  const curve = (name, title, unit, fixed, marginal, extra = {}) => ({
    metric: name, title, unit, series: null, source: "software", imported: false, source_detail: null,
    points: batches.map((b, i) => ({ ...figure((fixed / b + marginal) * (1 + 0.015 * Math.sin(3 * i)), unit), point: i, x: b,
      fitted: fixed / b + marginal })),
    blocks: 10, absent: null,
    fit: { fits: true, fixed: triple(fixed), marginal: triple(marginal), tested: true, lack_p: 0.4, misfit: 0.01, block_correlation: 0.1 },
    knee: { state: "known", at: fixed / marginal / 0.1, low: fixed / marginal / 0.13, high: fixed / marginal / 0.08, extrapolated: false },
    knee_seen: null, removed: triple(fixed * (1 - 1 / 64) / (fixed + marginal)), part_of: null, part: null, text: `${title}: most of it is a cost of each flush.`,
    ...extra,
  });
  return {
    schema: 1, kind: "sweep",
    verdict: "batching removed 9.8 us of 14.0 us per request, of which 62 % was front-end",
    verdict_basis: "10 rounds of 7 batches, software tier", x_basis: "x is what was seen on the wire",
    experiment: { id: "00112233445566bb", tool: "slotwise test", seed: 7, started_realtime_ns: 1789000000000000000, warmup: 1,
      budget_ms: null, stopped: "rounds", setup: null, prepare: null, cleanup: null },
    host: { hostname: "bench-1", os: "Debian", kernel: "6.1.0", hypervisor: "KVM", cpu: "Made-up CPU 4000", cpus_online: 8 },
    blocks: 10, parameter: "batch", other_parameters: null, series: [], observed_x: true, knee_excess: 0.1,
    points: batches.map((b) => ({ arm: `batch=${b}`, command: `client --batch ${b}`, directory: `batch-${b}`,
      parameters: [{ name: "batch", value: String(b) }], series: null, parameter: b, x: b, requests_per_flush: figure(b, "requests"),
      requests_per_second: figure(40000 * Math.sqrt(b), "requests/s"), p50: figure(90000 + 4000 * b, "ns"), p99: figure(200000 + 15000 * b, "ns") })),
    curves: [curve("cpu_per_request", "CPU time per request", "ns", 10000, 4000),
      curve("slots.frontend_bound", "front-end slots per request", "slots-per-request", 9000, 2500),
      curve("syscalls", "system calls per request", "1", 2, 0.01, { fit: { fits: false, fixed: null, marginal: null, tested: true,
        lack_p: 0.0004, misfit: 0.3, block_correlation: 0.1 }, knee: { state: "model-does-not-fit", at: null, low: null, high: null, extrapolated: false },
      text: "does not fit" })],
    latency_prices: [{ series: null, from: 0, to: 4, at: "knee", p50: figure(64000, "ns"), p99: figure(225000, "ns"),
      text: "at the knee p99 is 425 us instead of 215 us" }],
    notes: [], ...more,
  };
}

export function history(more = {}) {
  const points = Array.from({ length: 40 }, (_, i) => {
    const level = i < 15 ? 20000 : i < 30 ? 14000 : 16000;
    const value = level * (1 + 0.02 * Math.sin(5 * i));
    return { path: `runs/2026-0${1 + Math.floor(i / 5)}-${10 + i % 5}/run.json`, arm: i === 3 ? "A" : null,
      started_realtime_ns: 1780000000000000000 + i * 86400e9, value, interval: i % 7 === 0 ? null : { low: value * 0.985, high: value * 1.015 },
      rounds: i % 7 === 0 ? 1 : 10, source: "software", imported: false, source_detail: null, level, change: i === 15,
      shift: i === 15 ? -0.3 : null, apart: i === 30, unlike: i === 30 ? "CPU: Made-up CPU 4000, was Made-up CPU 3000" : null,
      labels: [{ key: "branch", value: "main" }] };
  });
  return { history_schema: 1, metric: "cpu_per_request", title: "CPU time per request", unit: "ns", better: "lower",
    labels: [{ key: "branch", value: "main" }], changes: 1, apart: 1, runs_without: 2, runs_with_other_labels: 5, points,
    notes: [{ level: "info", code: "few-rounds", text: "6 runs have one round: they have no interval", hint: null }], ...more };
}
