// Elements of the page. Texts are set as texts, never as markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Change a text only if it is another: a click or a selection goes on. */
export function setText(node, text) {
  if (node.textContent !== String(text)) node.textContent = text;
}

/** Show one node for each item, in order; nodes are kept by the items' keys. */
export function showList(parent, items, keyOf, make, update) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const nodes = items.map((item) => {
    const key = String(keyOf(item));
    const node = old.get(key) ?? make(item);
    node.dataset.key = key;
    update(node, item);
    return node;
  });
  if (nodes.length !== parent.children.length || nodes.some((node, at) => parent.children[at] !== node)) {
    parent.replaceChildren(...nodes);
  }
}

export function numberOf(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

export function dateText(seconds) {
  const date = new Date(seconds * 1000);
  return `${date.toLocaleDateString("sv")} ${date.toLocaleTimeString("sv")}`;
}

export function timeText(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString("sv");
}

export function durationText(seconds) {
  if (seconds > 0 && seconds < 0.0005) return "< 1 ms";
  if (seconds < 0.0995) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 99.5) return `${seconds.toPrecision(2)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  return `${Math.round(minutes / 60)} h`;
}

export function statusBadge() {
  return element("span", { class: "status" });
}

export function setStatus(badge, status) {
  setText(badge, status);
  badge.dataset.status = status;
}
