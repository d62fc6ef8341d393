// Shows /openapi.json: each operation with its parameters, body, answers and an example for curl.

import { byId, element } from "./elements.js";

const METHODS = ["get", "post", "put", "delete"];

const document_ = await (await fetch("/openapi.json", { credentials: "omit" })).json();
const schemas = document_.components.schemas;
const all = Object.entries(document_.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => ({ path, method, item, operation: item[method] })),
);
byId("docs").append(
  element("p", {}, document_.info.description),
  ...document_.tags.map(groupOf),
  element(
    "section", { class: "card" }, element("h2", {}, "Types"),
    ...Object.entries(schemas).map(([name, schema]) => element(
      "details", { class: "operation", id: `type-${name}` },
      element("summary", {}, element("span", { class: "path" }, name)),
      element("pre", {}, typeText(schema, "")),
    )),
  ),
);

function groupOf(tag) {
  const shown = all.filter(({ operation }) => operation.tags[0] === tag.name);
  return element(
    "section", { class: "card" },
    element("h2", {}, tag.name), element("p", { class: "note" }, tag.description),
    ...shown.map(operationOf),
  );
}

function operationOf({ path, method, item, operation }) {
  const parts = [];
  const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])];
  if (parameters.length) {
    const texts = parameters.map((entry) => `${entry.name}: ${typeText(entry.schema, "")}  (${entry.in})`);
    parts.push(element("h3", {}, "Parameters"), element("pre", {}, texts.join("\n")));
  }
  const body = operation.requestBody?.content["application/json"].schema;
  if (body) parts.push(element("h3", {}, "Body"), element("pre", {}, typeText(body, "")));
  parts.push(element("h3", {}, "Answers"));
  for (const [status, answer] of Object.entries(operation.responses)) {
    const schema = answer.content?.["application/json"].schema;
    parts.push(element("p", {}, element("b", {}, status), ` ${answer.description}`));
    if (schema) parts.push(element("pre", {}, typeText(schema, "")));
  }
  parts.push(element("h3", {}, "Example"), element("pre", {}, exampleText(path, method, operation, body)));
  return element(
    "details", { class: "operation" },
    element(
      "summary", {},
      element("span", { class: "method" }, method.toUpperCase()),
      element("span", { class: "path" }, path),
      element("span", { class: "note" }, operation.summary),
    ),
    ...parts,
  );
}

/** Write a schema as a type. */
function typeText(schema, indent) {
  const note = schema.description ? `  — ${schema.description}` : "";
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ") + note;
  for (const [key, sign] of [["anyOf", " | "], ["oneOf", " | "], ["allOf", " & "]]) {
    if (schema[key]) return schema[key].map((one) => typeText(one, indent)).join(sign) + note;
  }
  if (schema.prefixItems) return `[${schema.prefixItems.map((one) => typeText(one, indent)).join(", ")}]${note}`;
  if (schema.type === "array") return `[${typeText(schema.items, indent)}, …]${rangeText(schema)}${note}`;
  if (schema.properties) {
    const inner = `${indent}  `;
    const lines = Object.entries(schema.properties).map(([name, value]) => {
      const mark = schema.required?.includes(name) ? "" : "?";
      return `${inner}${name}${mark}: ${typeText(value, inner)}`;
    });
    return lines.length ? `{${note}\n${lines.join("\n")}\n${indent}}` : `{}${note}`;
  }
  if (schema.additionalProperties) return `{name: ${typeText(schema.additionalProperties, indent)}, …}${note}`;
  return `${schema.type}${rangeText(schema)}${note}`;
}

function rangeText(schema) {
  const low = schema.minimum ?? schema.minItems;
  const high = schema.maximum ?? schema.maxItems;
  if (low === undefined && high === undefined) return "";
  return ` (${low ?? ""}…${high ?? ""})`;
}

/** Write a call of curl that works in a shell with AQT_PORTAL_URL and AQT_TOKEN. */
function exampleText(path, method, operation, body) {
  const words = ["curl"];
  if (method !== "get") words.push("-X", method.toUpperCase());
  if (!operation.security) words.push("-H", '"Authorization: Bearer $AQT_TOKEN"');
  if (body) words.push("--json", `'${JSON.stringify(exampleOf(body))}'`);
  const places = { resource: "simulator_ideal", workspace: "default", index: "0", job_id: "$JOB_ID" };
  words.push(`"$AQT_PORTAL_URL${path.replace(/\{(\w+)\}/g, (_, name) => places[name])}"`);
  return words.join(" ");
}

function exampleOf(schema) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    if (name === "Circuit") {
      return {
        repetitions: 100,
        quantum_circuit: [{ operation: "RXX", qubits: [0, 1], theta: 0.5 }, { operation: "MEASURE" }],
        number_of_qubits: 2,
      };
    }
    return exampleOf(schemas[name]);
  }
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return exampleOf(schema.anyOf[0]);
  if (schema.type === "array") return [exampleOf(schema.items)];
  if (schema.properties) {
    return Object.fromEntries(schema.required.map((name) => [name, exampleOf(schema.properties[name])]));
  }
  if (schema.type === "boolean") return true;
  if (schema.type === "string") return "…";
  return schema.minimum ?? 0;
}
