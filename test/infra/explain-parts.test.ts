/** Each code of a filter is met by the example in its spec, and `explain` names the line that the example marks. */
import fs from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Decision } from "../../functions/gateway/core/types.ts";
import type { CodeExample } from "../../functions/gateway/hooks/examples.ts";
import { explain } from "../../infra/commands/authoring/explain.ts";
import { test } from "../../infra/commands/review/test.ts";
import { compile } from "../../infra/compiler/compile.ts";
import { findSource } from "../../infra/explain/source-of.ts";
import { registry } from "../../infra/project/registry.ts";
import { removeProject, writeFiles } from "../e2e/project.ts";

interface Example extends Required<CodeExample> {
  readonly name: string;
  readonly code: string;
  readonly tier: string;
}

const parts = { ...registry.filters, ...registry.upstreams };
const examples = Object.entries(registry.filters).flatMap(([use, { examples = {} }]) =>
  Object.entries(examples).map(([code, it]): Example => {
    const name = `${use} ${code}`;
    return { method: "GET", step: "send: GET /a", ...it, name, code, tier: name.replace(" ", "-") };
  }),
);

const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, "  ");

const manifestOf = ({ tier, filters, method }: Example): string => `api: postern/v1
tier: ${tier}
hosts: [${tier}.example]
filters:
${indented(filters)}upstreams: { it: { http: "https://it.example" } }
routes:
  one: { match: ${method} /a, to: it }
`;

const ids = `kv: { consumers: "${"1".repeat(32)}", revocations: "${"2".repeat(32)}" }\n`;
const root = writeFiles({
  "routes/environments/local.yaml": `values: {}\n${ids}`,
  ...Object.fromEntries(
    examples.flatMap((it) => [
      [`routes/${it.tier}.yaml`, manifestOf(it)],
      [`routes/${it.tier}.test.yaml`, `- { it: ${it.tier}, ${it.step}, expect: { status: 599 } }\n`],
    ]),
  ),
});
afterAll(() => removeProject(root));
const { tiers, problems } = compile(root, "local");

/** The text of `routes/a.yaml:7`. */
const lineAt = (at: string): string | undefined => {
  const [file = "", line = "0"] = at.split(":");
  return file.startsWith("routes/")
    ? fs.readFileSync(path.join(root, file), "utf8").split("\n")[Number(line) - 1]
    : undefined;
};

interface Answered {
  readonly code: string | null;
  readonly route: string;
  readonly decisions: readonly Decision[];
}
interface Tried {
  readonly tier: string;
  readonly failures: readonly { readonly answers: readonly Answered[] }[];
}

it("every code of a part has an example, and every example is of a code", () => {
  const met = examples.map(({ name }) => name);
  const codes = Object.entries(registry.filters).flatMap(([use, it]) =>
    Object.keys(it.codes).map((code) => `${use} ${code}`),
  );
  expect(met.sort()).toEqual(codes.sort());
  expect(problems).toEqual([]);
});

it("the gate answers with the code, and the line is the one that the example marks", { timeout: 120_000 }, async () => {
  const { data } = await test([], { root, env: "local" });
  const tried = new Map((data as { readonly tiers: readonly Tried[] }).tiers.map((it) => [it.tier, it]));
  for (const { name, code, tier } of examples) {
    const answers = tried.get(tier)?.failures.flatMap((it) => it.answers) ?? [];
    const answer = answers.find((it) => it.code === code);
    expect.soft([name, answer?.code ?? answers.map((it) => it.code)]).toEqual([name, code]);
    const checked = tiers.find((it) => it.checked.manifest.tier === tier)?.checked;
    const route = checked?.routes.find((it) => it.name === answer?.route);
    const ground = answer && checked && findSource(code, checked, route, answer.decisions);
    expect.soft([name, lineAt(ground?.at ?? "")]).toEqual([name, expect.stringMatching(/#!$/)]);
  }
});

interface Sent {
  readonly request: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
}

/** What `explain` can show without a network, a persona or an unavailable store. */
const plainSend = ({ step }: Example): Sent | undefined => {
  const { send, ...more } = parse(`{ ${step} }`) as { readonly send: string | Sent };
  const sent = typeof send === "string" ? { request: send } : send;
  const others = Object.keys(sent).filter((key) => !["request", "headers", "json", "text"].includes(key));
  return Object.keys(more).length > 0 || others.length > 0 ? undefined : sent;
};

describe("explain, offline", () => {
  it.each(examples.flatMap((it) => (plainSend(it) ? [it] : [])).filter(({ code }) => code !== "timeout"))(
    "$name",
    async (example) => {
      const { request, headers = {}, json, text } = plainSend(example) as Sent;
      const [method, target] = request.split(" ");
      const all = { ...(json !== undefined && { "content-type": "application/json" }), ...headers };
      const { data } = await explain(method, `http://${example.tier}.example${target}`, {
        root,
        env: "local",
        ip: "192.0.2.1",
        header: Object.entries(all).map(([key, value]) => `${key}: ${value}`),
        data: text ?? (json === undefined ? undefined : JSON.stringify(json)),
      });
      const { code, because, steps } = data as {
        readonly code: string;
        readonly because: { readonly at: string } | null;
        readonly steps: readonly { readonly verdict: string; readonly at: string; readonly why: string }[];
      };
      expect([code, lineAt(because?.at ?? "")]).toEqual([example.code, expect.stringMatching(/#!$/)]);
      const step = steps.find(({ verdict }) => verdict.includes(`: ${code}`));
      if (step) expect([step.at, step.why === ""]).toEqual([because?.at, false]);
    },
  );
});

it("keysOfCode names only keys and codes of its part", () => {
  for (const [use, { keysOfCode = {}, codes, schema }] of Object.entries(parts)) {
    const shape = Object.keys(schema.shape ?? schema._zod.def.innerType?.shape ?? {});
    for (const [code, keys] of Object.entries(keysOfCode)) {
      expect([use, Object.keys(codes)]).toEqual([use, expect.arrayContaining([code])]);
      expect([use, shape]).toEqual([use, expect.arrayContaining([...keys])]);
    }
  }
});
