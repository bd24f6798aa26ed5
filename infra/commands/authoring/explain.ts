/** `postern explain`: shows which route takes a request, and what each filter decides, here or at a running gate. */
import { tierFinder } from "../../../functions/front/tier-finder.ts";
import type { Decision } from "../../../functions/gateway/core/types.ts";
import { traceHeader } from "../../../functions/gateway/explain.ts";
import { explainHeader } from "../../../functions/gateway/proxy/forwarding.ts";
import { type Compiled, compile } from "../../compiler/compile.ts";
import { renderProblems } from "../../diagnostics/report.ts";
import { existing } from "../../diagnostics/schema-issues.ts";
import { maskTokens } from "../../explain/hidden.ts";
import { ensureExplainKey, explainToken } from "../../explain/keys.ts";
import { type Explained, explainOffline, parseProblem } from "../../explain/offline.ts";
import { findSource } from "../../explain/source-of.ts";
import { stepsOf } from "../../explain/steps.ts";
import { renderExplanation } from "../../explain/view.ts";
import { mismatchOf, nearestRoutes, type RouteMismatch } from "../../explain/why-not.ts";
import { networkReason } from "../../release/api.ts";
import { localSecrets } from "../../release/secrets.ts";
import type { Outcome } from "../../terminal/outcome.ts";

interface ExplainOptions {
  readonly root: string;
  readonly env: string;
  readonly header?: readonly string[] | undefined;
  readonly data?: string | undefined;
  readonly ip: string;
  readonly gray?: string | undefined;
  readonly online?: true | undefined;
  readonly at?: string | undefined;
  readonly init?: true | undefined;
  readonly whyNot?: string | undefined;
}

export const explain = async (
  method: string | undefined,
  target: string | undefined,
  options: ExplainOptions,
): Promise<Outcome> => {
  const { root, env } = options;
  if (options.init) {
    const key = ensureExplainKey(root, env);
    const text = `# routes/environments/${env}.yaml; gates that are built with it explain their decisions to holders of the private key\nexplain: { key: "${key}" }\n`;
    return { exitCode: 0, text, data: { environment: env, key } };
  }
  if (method === undefined || target === undefined) throw new Error("name a request: postern explain GET https://…");
  const compiled = compile(root, env);
  const request = requestOf(method, target, options);
  const explained =
    options.at === undefined
      ? await explainHere(compiled, request, options)
      : await explainAtGate(compiled, request, options);
  const { tier, route, code, decisions } = explained;
  const steps = stepsOf(explained, request);
  const served = tier?.routes.find(({ name }) => name === route);
  const source = code && tier ? findSource(code, tier, served, decisions) : undefined;
  const mismatches = listMismatches(compiled, request, explained, options.whyNot);
  const { problems } = compiled;
  return {
    exitCode: problems.length > 0 ? 1 : 0,
    text: [
      renderExplanation(request, {
        explained,
        steps,
        source,
        mismatches,
        isRemote: options.at !== undefined,
      }),
      problems.length > 0 && `routes of these invalid manifests are left out:\n${renderProblems(problems, compiled)}`,
    ]
      .filter(Boolean)
      .join("\n"),
    data: {
      tier: tier?.manifest.tier ?? null,
      route: route || null,
      status: explained.status,
      code: code ?? null,
      detail: explained.detail ?? null,
      because: source ?? null,
      steps,
      misses: mismatches,
      upstream: explained.upstream ?? null,
      copies: explained.copies,
      unknown: explained.unknown,
      problems,
    },
  };
};

/** The nearest routes when none matches the request, and the one named by --why-not. */
const listMismatches = (
  { tiers }: Compiled,
  request: Request,
  { tier: served, route }: Explained,
  whyNot: string | undefined,
): readonly RouteMismatch[] => {
  const all = tiers.map(({ checked }) => checked);
  if (whyNot === undefined) return route === "" ? nearestRoutes(all, request) : [];
  const [tierName = "", name = ""] = whyNot.split("/");
  const tier = all.find(({ manifest }) => manifest.tier === tierName);
  const wantedRoute = tier?.routes.find((it) => it.name === name);
  if (!tier || !wantedRoute) {
    const known = all.flatMap(({ manifest, routes }) => routes.map((it) => `${manifest.tier}/${it.name}`));
    throw new Error(`there is no route "${whyNot}"; ${existing(whyNot, known, "npx postern routes lists them")}`);
  }
  if (served?.manifest.tier === tierName && route === name) throw new Error(`${whyNot} matches this request`);
  return [mismatchOf(tier, wantedRoute, request)];
};

const requestOf = (method: string, target: string, { at, header = [], data }: ExplainOptions): Request => {
  const url = at === undefined ? target : urlAt(at, target);
  if (!URL.canParse(url)) throw new Error(`"${target}" is not a whole URL; write it as https://api.acme.example/…`);
  const headers = new Headers();
  for (const line of header) {
    const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new Error(`"${line}" is not a header; write it as 'name: value'`);
    headers.append(name, value);
  }
  if (data !== undefined) headers.set("content-length", String(Buffer.byteLength(data)));
  return new Request(url, { method, headers, ...(data !== undefined && { body: data }) });
};

/** The URL of the request at the gates of `--at`. A whole URL may omit its port, and has the same host. */
const urlAt = (at: string, target: string): string => {
  if (!URL.canParse(at)) throw new Error(`--at takes the URL of the gates, such as http://localhost:8787, not "${at}"`);
  const gateUrl = new URL(at);
  if (target.startsWith("/")) return new URL(target, gateUrl).href;
  if (!URL.canParse(target)) return target;
  const { hostname, pathname, search } = new URL(target);
  if (hostname !== gateUrl.hostname)
    throw new Error(
      maskTokens(
        `--at names ${gateUrl.hostname}, but the URL has the host ${hostname}; write ${pathname}${search}, or use the same host`,
      ),
    );
  return new URL(pathname + search, gateUrl).href;
};

const explainHere = (
  compiled: Compiled,
  request: Request,
  { root, env, ip, gray, online }: ExplainOptions,
): Promise<Explained> =>
  explainOffline(compiled, {
    request,
    ip,
    grayKey: gray ?? null,
    secrets: localSecrets(root, env, compiled.environment.value.dev.secrets),
    online: online === true,
  });

/** Sends the request to a running gate, with a token for the tier that serves the URL. */
const explainAtGate = async (
  compiled: Compiled,
  request: Request,
  { root, env }: ExplainOptions,
): Promise<Explained> => {
  const url = new URL(request.url);
  const found = tierFinder(compiled.front.tiers)(url.hostname, url.pathname);
  const tier = compiled.tiers.find(
    ({ checked }) => typeof found === "object" && checked.manifest.tier === found.tier,
  )?.checked;
  if (!tier) return explainOffline(compiled, { request, ip: "", grayKey: null, secrets: {}, online: false });
  const { method, headers } = request;
  const gateHeaders = new Headers(headers);
  gateHeaders.delete("content-length");
  gateHeaders.set(explainHeader, await explainToken(root, env, tier.manifest.tier));
  const body = request.body === null ? {} : { body: await request.text() };
  const response = await fetch(request.url, { method, headers: gateHeaders, redirect: "manual", ...body }).catch(
    (error: Error) => {
      throw new Error(
        `${url.origin} does not answer (${networkReason(error)}); check that the URL is right and that the gates run there`,
      );
    },
  );
  const text = await response.text();
  const traceText = response.headers.get(traceHeader);
  const trace: { route: string; decisions: Decision[] } = JSON.parse(traceText ?? '{"route":"","decisions":[]}');
  return {
    tier,
    route: trace.route,
    decisions: trace.decisions,
    status: response.status,
    ...parseProblem(response.headers, text),
    upstream: undefined,
    copies: [],
    unknown:
      traceText === null
        ? [
            `the gate of ${tier.manifest.tier} sent no explanation: it was built without this key, or by an older version`,
          ]
        : [],
  };
};
