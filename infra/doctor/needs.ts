/** What an environment needs of the platform, by its manifests alone. */
import fs from "node:fs";
import path from "node:path";
import { consumersFile } from "../compiler/check/shared-files.ts";
import type { Compiled } from "../compiler/compile.ts";
import {
  type Blueprint,
  controlBlueprints,
  frontBlueprint,
  gateBlueprint,
  stateBlueprints,
} from "../compiler/emit/blueprints.ts";
import { versionKeyRules } from "../compiler/emit/version-key-rules.ts";
import { zoneOf } from "../compiler/inputs/zones.ts";
import { listGates } from "../compiler/lower/gates.ts";

export interface RouteNeed {
  readonly pattern: string;
  readonly worker: string;
}

export interface ZoneNeed {
  readonly name: string;
  /** Hosts, and wildcards such as `*.acme.example`. */
  readonly hosts: readonly string[];
  readonly routes: readonly RouteNeed[];
  /** Refs of the Transform Rules that keep users on one version of the front. */
  readonly rules: readonly string[];
}

export interface Needs {
  readonly workers: readonly string[];
  readonly zones: readonly ZoneNeed[];
  /** Name → id. */
  readonly kv: Readonly<Record<string, string>>;
  /** Whether `deploy` writes consumers into KV. */
  readonly writesKv: boolean;
  /** What the Free plan of Workers does not have; empty if nothing. */
  readonly paid: readonly string[];
}

export const needsOf = (root: string, compiled: Compiled): Needs => {
  const { tiers, environment, front } = compiled;
  const { zones, control } = { zones: environment.value.front.zones, control: environment.value.control };
  const gates = listGates(tiers);
  const frontWorker = frontBlueprint(compiled);
  const blueprints: readonly Blueprint[] = [
    ...gates.map((gate) => gateBlueprint(gate, environment, undefined)),
    ...stateBlueprints(gates, environment.name),
    ...controlBlueprints(compiled, gates),
    frontWorker,
  ];
  const rules = versionKeyRules(front, frontWorker.config.name, zones);
  const routes = blueprints.flatMap(routesOf);
  const byZone = Map.groupBy(routes, ({ pattern }) => zoneOf(hostOf(pattern).replace(/^\*\./, ""), zones));
  return {
    workers: blueprints.map(({ config }) => config.name).sort(),
    zones: [...byZone]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, some]) => ({
        name,
        hosts: [...new Set(some.map(({ pattern }) => hostOf(pattern)))].sort(),
        routes: some,
        rules: rules.find(({ zone }) => zone === name)?.rules.map(({ ref }) => ref) ?? [],
      })),
    kv: environment.value.kv,
    writesKv: environment.value.kv.consumers !== undefined && fs.existsSync(path.join(root, consumersFile)),
    paid: [
      ...(control ? ["the tail Worker of the control plane"] : []),
      ...blueprints.filter(({ config }) => "limits" in config).map(({ config }) => `\`limits\` of ${config.name}`),
    ],
  };
};

const routesOf = ({ config }: Blueprint): RouteNeed[] =>
  "routes" in config ? (config.routes ?? []).map(({ pattern }) => ({ pattern, worker: config.name })) : [];

const hostOf = (pattern: string): string => pattern.split("/")[0] as string;
