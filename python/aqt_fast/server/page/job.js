// One job: its facts, its time, its circuits and their outcomes.

import { call } from "./client.js";
import { drawCircuit, drawCounts, drawTime } from "./drawing.js";
import { byId, dateText, element, numberOf, setText } from "./elements.js";

let open = null; // identifier of the job that is shown
let index = 0;
let drawn = ""; // what the pictures of the circuit show

/** Have the dialog work; `act` calls the server and shows a refusal. */
export function prepareJob(act, refresh) {
  const dialog = byId("job");
  const follow = () => {
    const match = /^#job\/([0-9a-f-]{36})$/.exec(location.hash);
    open = match ? match[1] : null;
    [index, drawn] = [0, ""];
    for (const id of ["job-facts", "job-time", "circuit", "counts"]) byId(id).replaceChildren();
    delete byId("circuit").dataset.index;
    if (open === null) dialog.close();
    else refresh();
  };
  window.addEventListener("hashchange", follow);
  dialog.addEventListener("close", () => {
    if (open !== null) location.hash = "";
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  byId("close").addEventListener("click", () => dialog.close());
  byId("cancel").addEventListener("click", () => act("cancel", { job_id: open }));
  const choose = (wanted) => {
    const last = Number(byId("index").max);
    index = Math.min(Math.max(0, Math.trunc(wanted) || 0), last);
    refresh();
  };
  byId("previous").addEventListener("click", () => choose(index - 1));
  byId("following").addEventListener("click", () => choose(index + 1));
  byId("index").addEventListener("change", (event) => choose(Number(event.target.value)));
  follow();
}

export async function showJob(state) {
  if (open === null) return;
  const asked = open;
  let job;
  try {
    job = await call(`jobs/${asked}`);
  } catch (error) {
    if (![404, 410].includes(error.status) || asked !== open) throw error;
    location.hash = "";
    throw error;
  }
  if (asked !== open) return;
  showFacts(job, state);
  if (!byId("job").open) byId("job").showModal();
  await showCircuit(job);
}

function showFacts(job, state) {
  setText(byId("job-title"), job.label || `Job ${job.job_id.slice(0, 8)}`);
  const facts = {
    Identifier: job.job_id,
    Machine: `${job.resource_id} (workspace ${job.workspace_id})`,
    Status: job.cancelling && job.ended === null ? `${job.status}, being cancelled` : job.status,
    Circuits: `${job.finished_count} of ${job.circuits} ran, ${job.shots} shots in all, at most ${numberOf(job.qubits, "qubit")}`,
    Accepted: dateText(job.accepted),
    Result: job.has_result ? `fetched ${numberOf(job.fetches, "time")}` : job.status === "finished" ? "expired" : "none yet",
    "SHA-256 of the request": job.sha256,
  };
  if (job.ended !== null && job.status !== "finished") facts.Result = "none";
  const list = byId("job-facts");
  if (list.children.length !== 2 * Object.keys(facts).length) {
    list.replaceChildren(...Object.keys(facts).flatMap((name) => [element("dt", {}, name), element("dd")]));
  }
  Object.values(facts).forEach((text, at) => setText(list.children[2 * at + 1], text));
  byId("job-message").hidden = !job.message;
  setText(byId("job-message"), job.message ?? "");
  byId("cancel").hidden = job.ended !== null || job.cancelling;
  byId("job-time").replaceChildren(drawTime(job.changes, state.now));
  setText(byId("last-index"), job.circuits - 1);
  byId("pick").hidden = job.circuits < 2;
  byId("previous").disabled = index === 0;
  byId("following").disabled = index === job.circuits - 1;
  byId("index").max = job.circuits - 1;
  if (document.activeElement !== byId("index")) byId("index").value = index;
}

async function showCircuit(job) {
  const wanted = `${job.job_id} ${index} ${job.has_result} ${job.has_circuits}`;
  if (wanted === drawn) return;
  const { circuit, counts } = await call(`jobs/${job.job_id}/circuits/${index}`);
  if (open !== job.job_id) return;
  drawn = wanted;
  byId("circuit").dataset.index = index;
  const note = (text) => [element("p", { class: "note" }, text)];
  byId("circuit").replaceChildren(...(circuit ? drawCircuit(circuit) : note("The circuits were forgotten.")));
  const missing = job.status === "finished" ? "The result has expired." : "There are none.";
  byId("counts").replaceChildren(...(counts ? drawCounts(counts) : note(missing)));
}
