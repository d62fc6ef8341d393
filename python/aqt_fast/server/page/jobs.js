// The list of jobs: newest first, one page of it, chosen by status and text.

import { call } from "./client.js";
import { byId, durationText, element, setStatus, setText, showList, statusBadge, timeText } from "./elements.js";

const SIZE = 50;
const chosen = { status: "", text: "", offset: 0 };

/** Have the list's buttons work; `refresh` shows everything anew. */
export function prepareJobs(refresh) {
  byId("find").addEventListener("input", (event) => {
    Object.assign(chosen, { text: event.target.value.trim(), offset: 0 });
    refresh();
  });
  const turn = (pages) => () => {
    chosen.offset = Math.max(0, chosen.offset + pages * SIZE);
    refresh();
  };
  byId("newer").addEventListener("click", turn(-1));
  byId("older").addEventListener("click", turn(1));
  byId("filters").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    Object.assign(chosen, { status: button.dataset.key === "all" ? "" : button.dataset.key, offset: 0 });
    refresh();
  });
}

export async function showJobs(state) {
  const query = new URLSearchParams({ ...chosen, limit: SIZE });
  const { jobs, total } = await call(`jobs?${query}`);
  if (chosen.offset && chosen.offset >= total) chosen.offset = Math.max(0, Math.floor((total - 1) / SIZE) * SIZE);
  const all = Object.values(state.jobs).reduce((sum, number) => sum + number, 0);
  showList(byId("filters"), [["all", all], ...Object.entries(state.jobs)], ([status]) => status, makeFilter, updateFilter);
  showList(byId("jobs"), jobs, (job) => job.job_id, makeRow, (row, job) => updateRow(row, job, state.now));
  const last = Math.min(chosen.offset + jobs.length, total);
  setText(byId("range"), total ? `${chosen.offset + 1}–${last} of ${total}` : "");
  byId("newer").disabled = chosen.offset === 0;
  byId("older").disabled = last >= total;
  byId("pages").hidden = total <= SIZE;
  byId("no-jobs").hidden = total > 0;
  setText(byId("no-jobs"), all ? "No job fits." : "No job was submitted yet.");
}

function makeFilter() {
  return element("button", { type: "button" });
}

function updateFilter(button, [status, number]) {
  setText(button, `${status} ${number}`);
  button.setAttribute("aria-pressed", (chosen.status || "all") === status);
}

function makeRow(job) {
  const cell = (kind) => element("td", { class: kind });
  const link = element("a", { href: `#job/${job.job_id}`, title: job.job_id });
  const state = element("td", {}, statusBadge(), element("progress", { hidden: true }));
  return element(
    "tr", {},
    cell("number"), element("td", { class: "name" }, link), cell("machine"), state,
    cell("number"), cell("number"), cell("time"), cell("number"), cell("number"),
  );
}

function updateRow(row, job, now) {
  const [number, name, machine, state, circuits, shots, accepted, waited, took] = row.children;
  setText(number, job.number);
  setText(name.firstChild, job.label || job.job_id.slice(0, 8));
  setText(machine, `${job.resource_id} (${job.workspace_id})`);
  setStatus(state.firstChild, job.status);
  const progress = state.lastChild;
  progress.hidden = job.status !== "ongoing" || job.circuits < 2;
  progress.max = job.circuits;
  progress.value = job.finished_count;
  setText(circuits, job.status === "ongoing" ? `${job.finished_count} / ${job.circuits}` : job.circuits);
  setText(shots, job.shots);
  setText(accepted, timeText(job.accepted));
  const start = job.started ?? job.ended ?? now;
  setText(waited, durationText(start - job.accepted));
  setText(took, job.started === null ? "" : durationText((job.ended ?? now) - job.started));
}
