/* SPDX-License-Identifier: MIT */
/* Where the numbers come from and how to get them again. */
(() => {
  "use strict";
  const { h } = slw;
  const f = slw.format;

  /* As a shell would be given it. */
  const quoted = (word) => /^[\w@%+=:,./-]+$/.test(word) ? word : "'" + word.replace(/'/g, "'\\''") + "'";
  slw.shell = (argv) => argv.map(quoted).join(" ");

  function hostFacts(run) {
    const { host } = run;
    const c = host.cpu;
    const cpu = [c.name || c.vendor, c.arch, c.family !== null ? "family " + c.family + " model " + c.model +
      " stepping " + c.stepping : null, c.microcode ? "microcode " + c.microcode : null].filter(Boolean).join(", ");
    return [["CPU", cpu || f.absent("unknown")], ["CPUs online", c.online === null ? null : f.digits(c.online) +
      (c.smt === null ? "" : c.smt ? ", SMT" : ", no SMT")], ["Hypervisor", host.hypervisor], ["Governor", host.governor],
    ["Kernel", host.kernel], ["System", host.os], ["Host", host.hostname],
    ["perf_event_paranoid", host.perf_event_paranoid === null ? null : String(host.perf_event_paranoid)]];
  }

  function exit(command) {
    if (command.exit === "status" || command.exit === "signal")
      return command.exit + " " + command.exit_value;
    return command.exit;
  }

  function selfCost(self) {
    const parts = [["user_ns", "user"], ["system_ns", "system"]].filter(([k]) => self[k].value !== null)
      .map(([k, word]) => f.value(Number(self[k].value), "ns") + " " + word);
    if (self.bpf_ns)
      parts.push(f.value(Number(self.bpf_ns), "ns") + " in BPF programs");
    return parts.length ? parts.join(", ") : null;
  }

  function sources(report) {
    const words = new Set();
    for (const x of [...report.counts, ...report.per_request.rows, ...report.topdown.nodes, report.samples])
      if (x && x.source)
        words.add(x.source + (x.imported ? ", imported" : "") + (x.source_detail ? " (" + x.source_detail + ")" : ""));
    return [...words].join("; ");
  }

  function runFacts(side, i) {
    const r = side.report;
    const rounds = r.rounds.length;
    return [slw.sideName(i) && h("h3", { class: "arm " + slw.sideClass(i) }, slw.sideName(i)), slw.facts([
      ["Measured by", r.tool], ["Started", side.run.started_realtime_ns ? f.date(Number(side.run.started_realtime_ns)) : null],
      ["Length", f.figure(r.time.wall_ns, "ns")], ["Rounds", rounds ? f.digits(rounds) : null],
      ["Client ended with", exit(r.command)], ["Numbers from", sources(r)],
      ["CPU model", r.topdown.model ? r.topdown.model + " " + (r.topdown.model_version || "") : null],
      ["Samples", r.samples ? f.digits(Number(r.samples.count)) + " of " + r.samples.event : null],
      ["Cost of measuring", selfCost(r.self)],
      ["Labels", r.labels.length ? r.labels.map((l) => l.key + "=" + l.value).join(", ") : null],
      ...hostFacts(side.run)])];
  }

  slw.section("provenance", "Provenance", 110, () => {
    const sides = slw.sides.map((s, i) => s.report ? runFacts(s, i) : null).filter(Boolean);
    if (!sides.length)
      return null;
    return h("div", { class: sides.length > 1 ? "pair" : null }, sides.map((s) => h("div", {}, s)));
  });

  function copyable(text) {
    const code = h("code", {}, text);
    return h("pre", { tabindex: "0", role: "region", "aria-label": "command" }, code);
  }
  slw.command = copyable;

  slw.section("reproduce", "How to reproduce", 120, () => {
    if (slw.kind !== "run")
      return null;
    const { command } = slw.report;
    if (command.target !== "command" || !command.argv.length)
      return h("div", {}, h("p", {}, command.target === "import" ? "The numbers were imported: the tool that measured them " +
        "was run elsewhere." : "The target was " + command.target + (command.pid !== null ? " " + command.pid : "") +
        (command.cgroup ? " " + command.cgroup : "") + ": attach to it again."));
    return h("div", {}, copyable("slotwise profile -- " + slw.shell(command.argv)), h("p", { class: "soft" },
      "This file holds no copy of the run. From its directory, slotwise report RUN --format html makes it again."));
  });
})();
