// Pictures: a circuit, the counts of its outcomes, a job's time.

import { durationText, element, numberOf, svg } from "./elements.js";

const WIRE = 34; // distance of wires
const BOX = 26; // height of a gate
const GAP = 8; // between columns
const LETTER = 6.6; // width of a letter
const LEFT = 44;

/** Draw a circuit of AQT's interfaces; angles are in units of π there. */
export function drawCircuit(circuit) {
  const gates = circuit.operations.filter((operation) => operation.operation !== "MEASURE");
  const used = new Set(gates.flatMap(qubitsOf));
  const shown = [...Array(circuit.number_of_qubits).keys()].filter(
    (qubit) => used.has(qubit) || circuit.number_of_qubits <= 5,
  );
  const row = new Map(shown.map((qubit, at) => [qubit, at]));
  const columns = arranged(gates, row, shown.length);

  const height = shown.length * WIRE + 10;
  const wires = svg("g", { class: "wires" });
  const boxes = svg("g", { class: "gates" });
  let x = LEFT;
  for (const column of columns) {
    const texts = column.map(gateText);
    const width = Math.max(...texts.map((text) => text.length * LETTER + 14), 30);
    column.forEach((gate, at) => boxes.append(gateBox(gate, texts[at], x, width, row)));
    x += width + GAP;
  }
  const complete = circuit.num_operations <= circuit.operations.length;
  if (complete) {
    for (const qubit of shown) boxes.append(meter(x, centre(row.get(qubit))));
    x += BOX + GAP;
  }
  for (const qubit of shown) {
    const y = centre(row.get(qubit));
    wires.append(
      svg("line", { x1: LEFT - 8, x2: x, y1: y, y2: y }),
      svg("text", { x: LEFT - 12, y, class: "qubit" }, `q${qubit}`),
    );
  }
  const label = `circuit of ${circuit.number_of_qubits} qubits and ${gates.length} gates`;
  const picture = svg(
    "svg",
    { width: x + 6, height, viewBox: `0 0 ${x + 6} ${height}`, class: "circuit", role: "img", "aria-label": label },
    wires,
    boxes,
  );
  const notes = [`${numberOf(circuit.num_operations, "operation")}, ${numberOf(circuit.repetitions, "shot")}`];
  if (!complete) notes.push(`the first ${circuit.operations.length} are drawn`);
  const idle = circuit.number_of_qubits - shown.length;
  if (idle) notes.push(`${idle} idle ${idle === 1 ? "qubit is" : "qubits are"} not drawn`);
  return [element("p", { class: "note" }, notes.join("; ")), picture];
}

function qubitsOf(gate) {
  return gate.operation === "RXX" ? gate.qubits : [gate.qubit];
}

/** Put each gate into the first column in which its wires, and those between, are free. */
function arranged(gates, row, height) {
  const free = Array(height).fill(0);
  const columns = [];
  for (const gate of gates) {
    const rows = qubitsOf(gate).map((qubit) => row.get(qubit));
    const [low, high] = [Math.min(...rows), Math.max(...rows)];
    const column = Math.max(...free.slice(low, high + 1));
    free.fill(column + 1, low, high + 1);
    (columns[column] ??= []).push(gate);
  }
  return columns;
}

const centre = (row) => row * WIRE + WIRE / 2 + 5;

function angle(value) {
  return `${Number(value.toFixed(3))}π`;
}

function gateText(gate) {
  if (gate.operation === "RZ") return `RZ ${angle(gate.phi)}`;
  if (gate.operation === "R") return `R ${angle(gate.theta)}, ${angle(gate.phi)}`;
  return `RXX ${angle(gate.theta)}`;
}

function gateBox(gate, text, x, width, row) {
  const ys = qubitsOf(gate).map((qubit) => centre(row.get(qubit)));
  const middle = x + width / 2;
  const group = svg("g", { class: `gate ${gate.operation.toLowerCase()}` });
  group.append(svg("title", {}, JSON.stringify(gate)));
  if (ys.length === 1) {
    group.append(svg("rect", { x, y: ys[0] - BOX / 2, width, height: BOX, rx: 4 }));
    group.append(svg("text", { x: middle, y: ys[0] }, text));
  } else {
    const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
    group.append(svg("line", { x1: middle, x2: middle, y1: top, y2: bottom }));
    for (const y of ys) group.append(svg("circle", { cx: middle, cy: y, r: 4 }));
    const y = top + WIRE / 2; // on no other wire
    const inner = text.length * LETTER + 6;
    group.append(svg("rect", { x: middle - inner / 2, y: y - 9, width: inner, height: 18, rx: 4 }));
    group.append(svg("text", { x: middle, y }, text));
  }
  return group;
}

function meter(x, y) {
  const middle = x + BOX / 2;
  return svg(
    "g",
    { class: "gate measure" },
    svg("title", {}, "measurement"),
    svg("rect", { x, y: y - BOX / 2, width: BOX, height: BOX, rx: 4 }),
    svg("path", { d: `M ${middle - 8} ${y + 5} a 8 8 0 0 1 16 0 M ${middle} ${y + 5} l 6 -10` }),
  );
}

/** Draw counts as bars. */
export function drawCounts(counts) {
  const top = counts.outcomes[0][1];
  const letters = counts.outcomes[0][0].length;
  const left = Math.max(letters * 8.2 + 14, 40);
  const line = 22;
  const width = left + 420;
  const height = counts.outcomes.length * line + 4;
  const label = `counts of ${counts.num_outcomes} outcomes`;
  const picture = svg("svg", {
    width, height, viewBox: `0 0 ${width} ${height}`, class: "counts", role: "img", "aria-label": label,
  });
  counts.outcomes.forEach(([outcome, count], at) => {
    const y = at * line + 2;
    const length = Math.max(2, (300 * count) / top);
    const share = count < counts.shots ? Math.min((100 * count) / counts.shots, 99.9) : 100;
    picture.append(
      svg(
        "g",
        { class: "bar", "data-outcome": outcome, "data-count": count },
        svg("title", {}, `${outcome}: ${count} of ${counts.shots}`),
        svg("text", { x: left - 8, y: y + 10, class: "outcome" }, outcome),
        svg("rect", { x: left, y, width: length, height: line - 4, rx: 2 }),
        svg("text", { x: left + length + 6, y: y + 10, class: "count" }, `${count} (${share.toFixed(1)} %)`),
      ),
    );
  });
  const notes = [`${numberOf(counts.shots, "shot")}, ${numberOf(counts.num_outcomes, "different outcome")}; qubit 0 is at the right, as in Qiskit`];
  const hidden = counts.num_outcomes - counts.outcomes.length;
  if (hidden) notes.push(`the ${hidden} rarest are not shown`);
  return [element("p", { class: "note" }, notes.join("; ")), element("div", { class: "scroll" }, picture)];
}

/** Draw how long a job was queued and ran. */
export function drawTime(changes, now) {
  const begin = changes[0][1];
  const ended = !["queued", "ongoing"].includes(changes.at(-1)[0]);
  const end = ended ? changes.at(-1)[1] : Math.max(now, changes.at(-1)[1]);
  const total = Math.max(end - begin, 1e-9);
  const width = 640;
  const picture = svg("svg", {
    width, height: 44, viewBox: `0 0 ${width} 44`, class: "time", role: "img", "aria-label": "time of the job",
  });
  const parts = ended ? changes.slice(0, -1) : changes;
  parts.forEach(([status, start], at) => {
    const stop = at + 1 < changes.length ? changes[at + 1][1] : end;
    const x = ((start - begin) / total) * width;
    const length = Math.max(((stop - start) / total) * width, 2);
    const text = `${status} ${durationText(stop - start)}`;
    const bar = svg("g", { class: `part ${status}` }, svg("title", {}, text));
    bar.append(svg("rect", { x: Math.min(x, width - 2), y: 0, width: Math.min(length, width - Math.min(x, width - 2)), height: 22, rx: 3 }));
    if (text.length * 7 < length) bar.append(svg("text", { x: x + 8, y: 11 }, text));
    picture.append(bar);
  });
  const legend = parts.map(([status, start], at) => {
    const stop = at + 1 < changes.length ? changes[at + 1][1] : end;
    return `${status} ${durationText(stop - start)}`;
  });
  if (ended) legend.push(changes.at(-1)[0]);
  picture.append(svg("text", { x: 0, y: 36, class: "legend" }, legend.join(" → ")));
  return picture;
}
