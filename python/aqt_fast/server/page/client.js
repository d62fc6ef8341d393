// Requests to the server. The token stays in this tab, and is in no URL.

const KEY = "aqt-fast token";
const KNOWN = "local-token"; // opens a server on this computer that was started without another

export class Refusal extends Error {
  constructor(status, detail) {
    super(typeof detail === "string" ? detail : detail.map(problemText).join("; "));
    this.status = status;
  }
}

function problemText(problem) {
  return `${problem.loc.slice(1).join(" ")} ${problem.msg}`.trim();
}

export function keepToken(token) {
  sessionStorage.setItem(KEY, token);
}

/** GET without a body, POST with one; returns the JSON of the answer, or null. */
export async function call(path, body) {
  const token = sessionStorage.getItem(KEY) ?? KNOWN;
  const response = await fetch(`/control/${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { Authorization: `Bearer ${token}` },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    credentials: "omit",
    signal: AbortSignal.timeout(20000),
  });
  if (response.status === 204) return null;
  const content = await response.json();
  if (!response.ok) throw new Refusal(response.status, content.detail);
  return content;
}
