/** Rules for a tier's own settings: file name, reserved names, preset, hosts, isolation and release. */
import { stepsProblem, watchProblem } from "../../../../functions/control/model/release.ts";
import { frontName } from "../../../../functions/front/front-name.ts";
import type { Path } from "../../../diagnostics/locate.ts";
import type { Problem } from "../../../diagnostics/problem.ts";
import { choice } from "../../../diagnostics/schema-issues.ts";
import { longestZone } from "../../inputs/zones.ts";
import type { CheckedTier, CheckInputs } from "../../model/checked.ts";
import { isBroken } from "../../model/salvage.ts";

export const checkPlacement = (tier: CheckedTier, inputs: CheckInputs): Problem[] => [
  ...checkFileName(tier),
  ...checkReservedNames(tier),
  ...checkPresetName(tier, inputs),
  ...checkDuplicateHosts(tier),
  ...checkZones(tier, inputs),
  ...checkIsolation(tier),
  ...checkReleaseSteps(tier),
  ...checkWatch(tier),
  ...checkQueries(tier, inputs),
];

/** The placeholder for a broken host. */
export const placeholderHost = "unknown.invalid";

const checkFileName = ({ source, manifest: { tier } }: CheckedTier): Problem[] => {
  if (source.file.endsWith(`/${tier}.yaml`)) return [];
  const message = `the manifest of "${tier}" is in ${source.file}`;
  return [source.problem(["tier"], "file-name", message, { remedy: `name the file ${tier}.yaml` })];
};

/** The names of Workers and bindings are made from those of tiers and routes. */
const checkReservedNames = ({ source, manifest: { tier }, routes, broken }: CheckedTier): Problem[] => {
  // For a broken tier name, the file's name is the placeholder.
  const tierProblems = isBroken(broken, "tier")
    ? []
    : [
        ...(tier === "shared" ? ["the gate that small tiers share has this name"] : []),
        ...(tier === frontName ? ["`postern deploy`, `rollout` and `rollback` know the front by this name"] : []),
        ...(tier.includes("--") ? ["in the names of Workers, two hyphens separate a tier from a route"] : []),
        ...(previewName.test(tier) ? [previewMessage] : []),
      ];
  const routeProblems = routes.filter(({ name, settings }) => settings.isolation === "route" && previewName.test(name));
  return [
    ...tierProblems.map((it) =>
      source.problem(["tier"], "reserved-name", it, { remedy: "give the tier another name" }),
    ),
    ...routeProblems.map(({ name }) =>
      source.problem(["routes"], "reserved-name", previewMessage, { key: name, remedy: "give the route another name" }),
    ),
  ];
};

/** Workers of previews are found, and deleted, by this suffix. */
const previewName = /(?:^|-)preview-\d+$/;
const previewMessage = "Workers of previews have such names, and are deleted with their pull request";

const checkPresetName = ({ source, manifest: { preset } }: CheckedTier, { presets }: CheckInputs): Problem[] => {
  if (preset === undefined || presets.names.includes(preset)) return [];
  const remedy = choice(preset, presets.names) ?? `write routes/presets/${preset}.yaml`;
  return [source.problem(["preset"], "unknown-preset", `there is no preset "${preset}"`, { remedy })];
};

const checkDuplicateHosts = ({ source, manifest: { hosts } }: CheckedTier): Problem[] =>
  hosts.flatMap((host, index) => {
    const first = hosts.indexOf(host);
    if (first === index || host === placeholderHost) return [];
    const related = [source.related(["hosts", first], "the first one is here")];
    return [
      source.problem(["hosts", index], "duplicate-id", `${host} is listed twice`, { remedy: "keep one", related }),
    ];
  });

const checkZones = ({ source, manifest: { hosts } }: CheckedTier, { environment }: CheckInputs): Problem[] => {
  const { zones } = environment.value.front;
  if (!zones) return [];
  return hosts.flatMap((host, index) => {
    if (longestZone(host, zones) !== undefined || host === placeholderHost) return [];
    const message = `${host} is in no zone of ${environment.file}`;
    const remedy = `the zones are ${zones.join(", ")}; add one under \`front.zones\`, or name another host`;
    return [source.problem(["hosts", index], "zone-uncovered", message, { remedy })];
  });
};

const checkIsolation = ({ source, manifest, routes }: CheckedTier): Problem[] => {
  const { isolation, level, entry, limits } = manifest;
  const unfit = (at: Path, message: string, remedy: string) =>
    source.problem(at, "isolation-unfit", message, { remedy });
  const shared = isolation === "shared";
  return [
    ...(shared && level === "core"
      ? [unfit(["isolation"], "a core tier does not share its gate", "leave `isolation` out, or lower its level")]
      : []),
    ...(shared && entry === "zone"
      ? [
          unfit(
            ["isolation"],
            "a shared gate has no zone's route of its own",
            "leave one of `isolation` and `entry` out",
          ),
        ]
      : []),
    ...(["cpu", "sub-requests"] as const)
      .filter((key) => shared && limits[key] !== undefined)
      .map((key) =>
        unfit(["limits", key], `a shared gate has no \`${key}\` for each tier`, "remove it, or leave `isolation` out"),
      ),
    ...routes
      .filter(({ settings }) => settings.isolation === "route" && entry === "zone")
      .map(({ name }) =>
        unfit(
          ["routes", name, "isolation"],
          `with \`entry: zone\`, nothing ahead of the gate could send ${name} to a Worker of its own`,
          "leave `entry` out, or give the route a tier of its own",
        ),
      ),
  ];
};

const checkReleaseSteps = ({ source, manifest: { release } }: CheckedTier): Problem[] => {
  const unfit = stepsProblem(release.steps);
  if (!unfit) return [];
  const { at, why, remedy } = unfit;
  return [source.problem(["release", "steps", at], "release-steps", why, { remedy })];
};

const checkWatch = ({ source, manifest: { release } }: CheckedTier): Problem[] => {
  const unfit = watchProblem(release);
  return unfit ? [source.problem(["release", "watch"], "release-watch", unfit.why, { remedy: unfit.remedy })] : [];
};

/** Without a control plane, queries are never run. */
const checkQueries = (
  { source, manifest: { release } }: CheckedTier,
  { environment: { file, value, broken = [] } }: CheckInputs,
): Problem[] => {
  const [first] = Object.keys(release.queries);
  if (first === undefined || !value.control || value.control.prometheus !== undefined) return [];
  if (isBroken(broken, "control", "prometheus")) return [];
  const message = `${file} names no Prometheus that could answer it, so no release would pass`;
  const remedy = "name one there: control: { prometheus: https://… }";
  return [source.problem(["release", "queries", first], "query-unanswered", message, { remedy })];
};
