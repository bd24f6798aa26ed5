/** `postern explain`: which route takes a request, and what each filter makes of it; here, or at a running gate. */
import pc from "picocolors";
import { tierFinder } from "../../functions/front.ts";
import { explainHeader, traceHeader } from "../../functions/gateway/explain.ts";
import { canonicalPath } from "../../functions/gateway/path.ts";
import type { Decision } from "../../functions/gateway/types.ts";
import type { CheckedFilter, CheckedTier } from "../compiler/checked.ts";
import { type Compiled, compile } from "../compiler/compile.ts";
import { explainToken, ownKey } from "../explain/keys.ts";
import { type Explained, explainOffline } from "../explain/offline.ts";
import { type Outcome, table } from "../outcome.ts";
import { localSecrets } from "../secrets.ts";
import { visible } from "../visible.ts";

interface Options {
  readonly root: string;
  readonly env: string;
  readonly header?: readonly string[] | undefined;
  readonly data?: string | undefined;
  readonly ip: string;
  readonly gray?: string | undefined;
  readonly online?: true | undefined;
  readonly at?: string | undefined;
  readonly init?: true | undefined;
}

export const explain = async (
  method: string | undefined,
  target: string | undefined,
  options: Options,
): Promise<Outcome> => {
  const { root, env } = options;
  if (options.init) {
    const key = ownKey(root, env);
    const text = `# routes/environments/${env}.yaml; gates that are built with it explain themselves to who has the private key\nexplain: { key: "${key}" }\n`;
    return { exitCode: 0, text, data: { environment: env, key } };
  }
  if (method === undefined || target === undefined)
    throw new Error("say what to explain: postern explain GET https://…");
  const compiled = compile(root, env);
  const request = requestOf(method, target, options);
  const explained =
    options.at === undefined ? await here(compiled, request, options) : await there(compiled, request, options);
  const steps = stepsOf(explained);
  return {
    exitCode: 0,
    text: shown(request, explained, steps, options.at !== undefined),
    data: {
      tier: explained.tier?.manifest.tier ?? null,
      route: explained.route || null,
      status: explained.status,
      code: explained.code ?? null,
      steps,
      upstream: explained.upstream ?? null,
      unknown: explained.unknown,
    },
  };
};

const requestOf = (method: string, target: string, { at, header = [], data }: Options): Request => {
  const url = at !== undefined && target.startsWith("/") ? new URL(target, at).href : target;
  if (!URL.canParse(url)) throw new Error(`"${target}" is no URL; write it whole: https://api.acme.example/…`);
  const headers = new Headers();
  for (const line of header) {
    const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`"${line}" is no header; write it as 'name: value'`);
    headers.append(name, value);
  }
  if (data !== undefined) headers.set("content-length", String(Buffer.byteLength(data)));
  return new Request(url, { method, headers, ...(data !== undefined && { body: data }) });
};

const here = (compiled: Compiled, request: Request, { root, env, ip, gray, online }: Options): Promise<Explained> =>
  explainOffline(compiled, {
    request,
    ip,
    grayKey: gray ?? null,
    secrets: localSecrets(root, env, compiled.environment.value.dev.secrets),
    online: online === true,
  });

/** Asks a running gate, with a token for the tier that the manifests say it is. */
const there = async (compiled: Compiled, request: Request, { root, env }: Options): Promise<Explained> => {
  const url = new URL(request.url);
  const found = tierFinder(compiled.front.tiers)(url.hostname, canonicalPath(url.pathname) ?? "");
  const tier = compiled.tiers.find(
    ({ checked }) => typeof found === "object" && checked.manifest.tier === found.tier,
  )?.checked;
  if (!tier) return explainOffline(compiled, { request, ip: "", grayKey: null, secrets: {}, online: false });
  const { method, headers } = request;
  const asked = new Headers(headers);
  asked.delete("content-length");
  asked.set(explainHeader, await explainToken(root, env, tier.manifest.tier));
  const body = request.body === null ? {} : { body: await request.text() };
  const response = await fetch(request.url, { method, headers: asked, redirect: "manual", ...body });
  const text = await response.text();
  const isProblem = response.headers.get("content-type") === "application/problem+json";
  const told = response.headers.get(traceHeader);
  const trace: { route: string; decisions: Decision[] } = JSON.parse(told ?? '{"route":"","decisions":[]}');
  return {
    tier,
    route: trace.route,
    decisions: trace.decisions,
    status: response.status,
    code: isProblem ? (JSON.parse(text) as { readonly code: string }).code : undefined,
    upstream: undefined,
    unknown:
      told === null
        ? [`the gate of ${tier.manifest.tier} did not explain itself: it was built without this key, or is older`]
        : [],
  };
};

interface Step {
  readonly filter: string;
  readonly verdict: string;
  readonly ms: number | null;
  /** `routes/wallet.yaml:13` */
  readonly at: string;
}

const stepsOf = ({ tier, route, decisions, unknown }: Explained): Step[] => {
  const chain = tier?.routes.find(({ name }) => name === route)?.chain ?? [];
  const told = new Map(decisions.map((it) => [it.id, it]));
  return chain.map((filter) => {
    const decision = told.get(filter.id);
    return {
      filter: filter.id,
      verdict: verdictOf(filter, decision, unknown),
      ms: decision?.ms ?? null,
      at: placeOf(filter),
    };
  });
};

const verdictOf = ({ mode }: CheckedFilter, decision: Decision | undefined, unknown: readonly string[]): string => {
  if (mode === "off") return "off";
  if (!decision) return "not reached";
  const { verdict, code } = decision;
  if (verdict === "failed" && unknown.length > 0) return `cannot be told here (${code})`;
  if (verdict === "shadowed") return `shadowed: ${code}`;
  if (verdict === "entered") return "wraps what follows";
  return code === undefined ? verdict : `${verdict}: ${code}`;
};

const placeOf = ({ source, entry }: CheckedFilter): string => `${source.file}:${source.related(entry, "").line}`;

const shown = (request: Request, it: Explained, steps: readonly Step[], timed: boolean): string => {
  const { tier, route, status, code, upstream, unknown } = it;
  const where = tier && route ? `${tier.manifest.tier}/${route}  ${placeOfRoute(tier, route)}` : nearest(it);
  const rows = steps.map(({ filter, verdict, ms, at }) => [
    filter,
    verdict,
    ...(timed ? [ms === null ? "" : `${ms} ms`] : []),
    at,
  ]);
  const lines = [
    `${pc.bold(`${request.method} ${request.url}`)}\n${where}\n`,
    steps.length > 0 ? table(["filter", "verdict", ...(timed ? ["time"] : []), "manifest"], rows) : "",
    upstream
      ? `the service is asked ${upstream.method} ${upstream.url}\n${Object.entries(upstream.headers)
          .map(([name, value]) => `  ${name}: ${value}\n`)
          .join("")}`
      : "",
    upstream && !timed ? "" : `the client is answered ${status}${code === undefined ? "" : ` ${code}`}\n`,
    unknown.map((line) => `note: ${line}\n`).join(""),
  ];
  return visible(lines.filter(Boolean).join("\n"));
};

const placeOfRoute = ({ source }: CheckedTier, route: string): string =>
  `${source.file}:${source.related(["routes", route, "match"], "").line}`;

const nearest = ({ tier, code }: Explained): string =>
  tier ? `${tier.manifest.tier}, but none of its routes: ${code ?? "answered by the gate itself"}` : `no tier: ${code}`;
