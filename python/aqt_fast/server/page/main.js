// The page: asks the server each second, shows what it says, and steers it.

import { call, keepToken } from "./client.js";
import { byId, dateText, element, numberOf, setText, showList } from "./elements.js";
import { prepareJob, showJob } from "./job.js";
import { prepareJobs, showJobs } from "./jobs.js";

const PERIOD = 1000;
const STATUSES = ["online", "offline", "maintenance", "unavailable"];

let asking = null; // the request that is under way
let shutOut = false; // whether the server refuses to answer: asking again is of no use
let again = false; // whether something changed meanwhile
let timer = 0;
let noticeTimer = 0;

// -- asking --------------------------------------------------------------------------------------

function refresh() {
  if (asking) {
    again = true;
    return;
  }
  clearTimeout(timer);
  asking = show().finally(() => {
    asking = null;
    if (again) {
      again = false;
      refresh();
    } else if (!document.hidden && !shutOut) {
      timer = setTimeout(refresh, PERIOD);
    }
  });
}

async function show() {
  try {
    const state = await call("state");
    shutOut = false;
    showState(state);
    await showJobs(state);
    await showJob(state);
  } catch (error) {
    showFailure(error);
  }
}

function showFailure(error) {
  if (error.status === 401 || error.status === 403) {
    shutOut = true;
    byId("main").hidden = true;
    byId("log-in").hidden = error.status === 403;
    if (byId("job").open) byId("job").close();
    setConnection(error.status === 401 ? "token needed" : "closed", "bad");
    if (error.status === 403) notify("Only a browser on the server's computer may see this page, and not by way of a proxy.");
  } else if (error.status) {
    notify(error.message);
  } else {
    setConnection("no connection", "bad");
  }
}

function setConnection(text, kind) {
  setText(byId("connection"), text);
  byId("connection").dataset.kind = kind;
}

function notify(text) {
  clearTimeout(noticeTimer);
  setText(byId("notice"), text);
  byId("notice").hidden = false;
  noticeTimer = setTimeout(() => (byId("notice").hidden = true), 8000);
}

/** Call a method of the server; show its refusal, then the new state. */
async function act(path, body = {}) {
  try {
    await call(path, body);
  } catch (error) {
    if (error.status) notify(error.message);
    else if (path !== "refuse") setConnection("no connection", "bad");
  }
  refresh();
}

// -- showing -------------------------------------------------------------------------------------

function showState(state) {
  setConnection("connected", "good");
  byId("log-in").hidden = true;
  byId("main").hidden = false;
  setText(byId("clock"), dateText(state.now));
  showList(byId("resources"), state.resources, (resource) => resource.id, makeResource, updateResource);
  showList(byId("workspaces"), state.workspaces, (workspace) => workspace.id, makeWorkspace, updateWorkspace);
  showPace(state);
  showFaults(state.faults);
}

function makeResource(resource) {
  const status = element("select", {
    "aria-label": `status of ${resource.id}`,
    change: (event) => {
      act("set_status", { resource_id: resource.id, status: event.target.value });
      event.target.blur();
    },
  }, ...STATUSES.map((name) => element("option", {}, name)));
  const kind = resource.type + (resource.noisy ? ", noisy" : "");
  return element(
    "tr", {},
    element("td", { title: resource.name }, resource.id), element("td", {}, kind),
    element("td", { class: "number" }, String(resource.available_qubits)), element("td", {}, status),
    element("td", { class: "number" }), element("td", {}, element("a"), element("progress", { hidden: true })),
  );
}

function updateResource(row, resource) {
  const [, , , status, queued, running] = row.children;
  const select = status.firstChild;
  if (document.activeElement !== select) select.value = resource.status;
  row.dataset.status = resource.status;
  setText(queued, resource.queued);
  const [link, progress] = running.children;
  setText(link, resource.running === null ? "" : resource.running.slice(0, 8));
  if (resource.running === null) link.removeAttribute("href");
  else link.href = `#job/${resource.running}`;
  progress.hidden = resource.running === null || resource.circuits < 2;
  progress.max = Math.max(resource.circuits, 1);
  progress.value = resource.finished_count;
}

function makeWorkspace(workspace) {
  const box = (name, text) => element("label", {}, element("input", {
    type: "checkbox",
    name,
    change: (event) => act("set_workspace", { workspace_id: workspace.id, [name]: event.target.checked }),
  }), ` ${text}`);
  return element(
    "p", { class: "workspace" }, element("b", {}, workspace.id), " ",
    box("accepting_job_submissions", "accepts jobs"), " ", box("jobs_being_processed", "processes jobs"),
    element("span", { class: "note" }, workspace.resources.join(", ")),
  );
}

function updateWorkspace(node, workspace) {
  for (const input of node.querySelectorAll("input")) input.checked = workspace[input.name];
}

function showPace(state) {
  const texts = [];
  if (state.permits === null) texts.push("Machines run.");
  else if (state.permits === 0) texts.push("Machines hold before their next circuits.");
  else texts.push(`Machines hold after ${numberOf(state.permits, "more circuit")}.`);
  if (state.failing) texts.push(`The next ${numberOf(state.failing, "job")} will fail.`);
  setText(byId("pace"), texts.join(" "));
  byId("pace").classList.toggle("on", state.permits !== null || state.failing > 0);
  byId("hold").setAttribute("aria-pressed", state.permits !== null);
}

function showFaults(faults) {
  const texts = faults.scripted.map((entry) => {
    const where = [entry.method, entry.path].filter(Boolean).join(" ");
    return `${entry.kind} for the next ${numberOf(entry.count, "request")}${where ? ` with ${where}` : ""}`;
  });
  if (faults.rate) {
    const kinds = faults.kinds.length > 3 ? `${faults.kinds.length} kinds` : faults.kinds.join(", ");
    texts.push(`${Number((100 * faults.rate).toPrecision(3))} % of requests (${kinds})`);
  }
  setText(byId("faults-now"), texts.length ? `On: ${texts.join("; ")}.` : "No fault is on.");
  byId("faults-now").classList.toggle("on", texts.length > 0);
  const kinds = [...faults.known_kinds, ...faults.odd_kinds];
  const select = byId("next-fault").elements.kind;
  if (select.options.length !== kinds.length) {
    select.replaceChildren(...kinds.map((kind) => element("option", {}, kind)));
    select.value = "500";
    byId("kinds").replaceChildren(...kinds.map((kind) => element(
      "label", {}, element("input", { type: "checkbox", value: kind, checked: faults.kinds.includes(kind) }), ` ${kind}`,
    )));
    countKinds();
  }
  const lines = faults.latest.map((fault) => `${fault.kind}: ${fault.method} ${fault.path}`);
  byId("no-faults").hidden = lines.length > 0;
  const log = byId("fault-log");
  if (lines.join("\n") !== [...log.children].map((line) => line.textContent).join("\n")) {
    log.replaceChildren(...lines.map((line) => element("li", {}, line)));
  }
}

function chosenKinds() {
  return [...byId("kinds").querySelectorAll("input:checked")].map((input) => input.value);
}

function countKinds() {
  setText(byId("kinds-summary"), numberOf(chosenKinds().length, "kind"));
}

// -- steering ------------------------------------------------------------------------------------

/** Have a form call a method, with arguments that follow from its fields. */
function onSubmit(id, path, argumentsOf) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    act(path, argumentsOf(byId(id).elements));
  });
}

byId("hold").addEventListener("click", () => act("hold"));
byId("release").addEventListener("click", () => act("release"));
byId("drift").addEventListener("click", () => act("drift"));
byId("clear-faults").addEventListener("click", () => act("faults/clear"));
byId("reset").addEventListener("click", () => {
  if (confirm("Forget all jobs, and undo what was set?")) act("reset");
});
onSubmit("release-some", "release", (fields) => ({ circuits: fields.circuits.valueAsNumber }));
onSubmit("fail", "fail_jobs", (fields) => ({ message: fields.message.value, count: fields.count.valueAsNumber }));
onSubmit("advance", "advance", (fields) => ({ seconds: 3600 * fields.hours.valueAsNumber }));
onSubmit("cut", "refuse", (fields) => ({ seconds: fields.seconds.valueAsNumber }));
onSubmit("next-fault", "faults/next", (fields) => ({
  kind: fields.kind.value, count: fields.count.valueAsNumber, path: fields.path.value || null,
}));
onSubmit("random-faults", "faults/set", (fields) => ({
  rate: fields.percent.valueAsNumber / 100, kinds: chosenKinds(),
}));
byId("kinds").addEventListener("change", countKinds);
for (const button of byId("random-faults").querySelectorAll("[data-all]")) {
  button.addEventListener("click", () => {
    for (const input of byId("kinds").querySelectorAll("input")) input.checked = Boolean(button.dataset.all);
    countKinds();
  });
}

byId("log-in").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken(byId("token").value.trim());
  byId("token").value = "";
  setText(byId("log-in-text"), "The server does not accept this token. Right is the value of AQT_TOKEN that aqt-fast serve prints.");
  refresh();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
prepareJobs(refresh);
prepareJob(act, refresh);
refresh();
