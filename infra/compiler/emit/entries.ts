/**
 * Generates the entry module of each Worker. It imports only the filters and upstreams in use, and names files without an
 * extension: they are TypeScript in this repository and JavaScript in the npm package.
 */

import path from "node:path";
import type { Library } from "../../../functions/gateway/part.ts";
import { project } from "../../project/project.ts";
import { registry } from "../../project/registry.ts";
import type { Gate } from "../lower/gates.ts";

export const linkedParts = (gate: Gate): string[] => [...usedParts(gate, "filters"), ...usedParts(gate, "upstreams")];

const usedParts = ({ serves }: Gate, group: "filters" | "upstreams"): string[] =>
  [...new Set(serves.flatMap(({ plan }) => Object.values(plan[group]).map(({ use }) => use)))].sort();

/** The imports of filters or upstreams, and the object that `link` looks them up in. */
export const partImports = (
  folder: "filters" | "upstreams",
  names: readonly string[],
  what: "make" | "present" = "make",
) => {
  const importName = (name: string) => `${what === "make" ? "" : `${what}_`}${folder}_${name.replaceAll("-", "_")}`;
  return {
    imports: names
      .map((name) => `import { ${what} as ${importName(name)} } from ${JSON.stringify(moduleOf(folder, name))};\n`)
      .join(""),
    table: `{ ${names.map((name) => `${JSON.stringify(name)}: ${importName(name)}`).join(", ")} }`,
  };
};

/**
 * Postern's own parts stand beside the entry, as TypeScript in its repository and as JavaScript in the package; so no
 * import names an extension. Those of the project stand where they are.
 */
export const moduleOf = (folder: "filters" | "upstreams", name: string): string => {
  const { root, own } = project();
  const part = own.parts.find((it) => it.group === folder && it.name === name);
  return part ? path.join(root, part.file) : `./${folder}/${name}`;
};

/** The entry of a gate. Gates with the same parts have the same entry. Imports only `make`, so no schema is bundled. */
export const gateEntry = (gate: Gate, explain: string | undefined, environment: string, control: boolean): string => {
  const [filter, upstream] = [
    partImports("filters", usedParts(gate, "filters")),
    partImports("upstreams", usedParts(gate, "upstreams")),
  ];
  const { cutover, trafficShift } = trafficShiftParts(gate, control);
  const optional = [
    ...(cutover ? [{ name: "cutover", from: "service/cutover" }] : []),
    ...(trafficShift ? [{ name: "trafficShift", from: "overlay/traffic-shift" }] : []),
    ...(limits(gate, "stream-age") ? [{ name: "streamAge", from: "streaming/max-age" }] : []),
    ...(limits(gate, "websocket-age") ? [{ name: "webSocketAge", from: "streaming/websocket-age" }] : []),
    ...(control || limits(gate, "response-idle") ? [{ name: "watchBodies", from: "streaming/watched-body" }] : []),
    ...linksOf(gate),
  ];
  const checks = hasValidation(gate) ? ["validators"] : [];
  const parts = [
    `filters: ${filter.table}`,
    `upstreams: ${upstream.table}`,
    ...optional.map(({ name }) => name),
    ...checks,
  ];
  const linkArguments = `plan, { ${parts.join(", ")} }`;
  const measuresSides = cutover && control;
  const extras = [
    ...(explain === undefined
      ? []
      : [
          {
            code: `explain: explaining(${JSON.stringify(explain)}, ${JSON.stringify(environment)})`,
            name: "explaining",
            from: "explain",
          },
        ]),
    ...(control
      ? [
          {
            code: measuresSides ? "telemetry: bySide(telemetry)" : "telemetry",
            name: "telemetry",
            from: "observability/metrics",
          },
          { code: "live", name: "live", from: "live" },
        ]
      : []),
  ];
  const all =
    extras.length === 0 ? linkArguments : `${linkArguments}, { ${extras.map(({ code }) => code).join(", ")} }`;
  const gatewayImports = [
    ...optional,
    ...extras,
    ...(measuresSides ? [{ name: "bySide", from: "observability/cutover-telemetry" }] : []),
  ]
    .map(({ name, from }) => `import { ${name} } from "./gateway/${from}";\n`)
    .join("");
  const moduleImports = ["plan", ...checks].map((it) => `import ${it} from "./${it}.js";\n`).join("");
  const imports = `${moduleImports}${filter.imports}${upstream.imports}${gatewayImports}`;
  return gate.shared
    ? `${imports}import { sharedGate } from "./gate";
export const { Behind } = sharedGate(${all});
export default { fetch: () => new Response(null, { status: 404 }) };
`
    : `${imports}import { gate } from "./gate";
const { zone, Behind } = gate(${all});
export { Behind };
export default zone;
`;
};

/** Whether a route has a cutover, and whether overlays can shift traffic. */
const trafficShiftParts = (
  { serves }: Gate,
  control: boolean,
): { readonly cutover: boolean; readonly trafficShift: boolean } => {
  const routes = serves.flatMap(({ plan }) => Object.values(plan.routes));
  const cutover = routes.some((route) => route.cutover);
  const isWeighted = routes.some(({ goes }) => "to" in goes && typeof goes.to !== "string");
  return { cutover, trafficShift: control && (cutover || isWeighted) };
};

/** Whether a route has request validation. */
const hasValidation = ({ serves }: Gate): boolean => serves.some(({ checked }) => checked.validations.size > 0);

const limits = ({ serves }: Gate, key: "stream-age" | "websocket-age" | "response-idle"): boolean =>
  serves.some(({ plan }) => plan.limits[key] !== undefined);

/** Where each library is. The one that counts in stores is a third of a gate with the common filters. */
const libraries: Readonly<Record<Library, string>> = { limiter: "limits/store-counter" };

/** The libraries that the gate's parts ask for. */
const linksOf = ({ serves }: Gate): { readonly name: Library; readonly from: string }[] => {
  const needed = serves.flatMap(({ plan: { filters, upstreams } }) => [
    ...Object.values(filters).flatMap(({ use, with: it }) => registry.filters[use]?.links?.(it) ?? []),
    ...Object.values(upstreams).flatMap(({ use, with: it }) => registry.upstreams[use]?.links?.(it) ?? []),
  ]);
  return [...new Set(needed)].sort().map((name) => ({ name, from: libraries[name] }));
};

/** @param key control's, of testers' labels */
export const frontEntry = (key: string | undefined, environment: string): string =>
  key === undefined
    ? `import plan from "./plan.js";
import { front } from "./front";
export default front(plan);
`
    : `import { env, waitUntil } from "cloudflare:workers";
import plan from "./plan.js";
import { front } from "./front";
import { frontTelemetry } from "./front/telemetry";
import { versionKeys } from "./front/version-keys";
import { labels } from "./gateway/identity/label";
const clock = { sleep: (ms) => scheduler.wait(ms), now: () => Date.now() };
const telemetry = frontTelemetry({ ...clock, version: env.VERSION?.id || "unversioned" });
const keys = (log) => versionKeys(plan.workers, { ...clock, env, defer: waitUntil, log });
export default front(plan, labels(${JSON.stringify(key)}, ${JSON.stringify(environment)}), telemetry, keys);
`;

export const stateEntry = `export * from "./state";
export { default } from "./state";
`;

export const planeEntries = {
  feed: `export * from "./feed";
export { default } from "./feed";
`,
  actuator: `import plan from "./plan.js";
import { actuator } from "./actuator";
export const Actuator = actuator(plan);
export default { fetch: () => new Response(null, { status: 404 }) };
`,
  control: `import plan from "./plan.js";
import { control } from "./control";
export const { Ingest, Telemetry, Rollouts, Waves, Ledger, Notices, api } = control(plan);
export default api;
`,
  tail: `import plan from "./plan.js";
import { tail } from "./tail";
export default tail(plan);
`,
} as const;
