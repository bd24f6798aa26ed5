/** What people see of a rollout in nine situations: screens, webhooks, GitHub. A golden file is read when it changes; `UPDATE_GOLDEN=1` writes it. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import type { ControlPlan, WebhookFormat } from "../../functions/control/model/plan.ts";
import { noticeChannels } from "../../functions/control/notifications/channels.ts";
import { payloadOf } from "../../functions/control/notifications/payloads.ts";
import { rolloutText } from "../../infra/commands/operate/rollout-view.ts";
import { type Situation, situationNames, situationOf } from "./rollout-situations.ts";

const update = process.env.UPDATE_GOLDEN === "1" && !process.env.CI;
const folder = path.join(import.meta.dirname, "../golden/rollouts");

const release = { steps: ["100%"], bake: "5m", tolerate: { errors: "+1pp", p99: "+20%", refusals: "+1pp" } };

const plan: ControlPlan = {
  environment: "production",
  host: "control.acme.example",
  operators: {},
  front: null,
  webhook: null,
  github: { name: "acme/routes", api: "https://api.github.example" },
  otlp: null,
  prometheus: null,
  scheme: "https",
  tiers: {},
  frontFacts: { level: "standard", host: "acme.example", base: "/", workers: ["postern-front"], release },
};

/** The last body that each channel posts of the situation's newest notice. */
const posted = async ({ notice, now }: Situation, format: WebhookFormat, channel: "webhook" | "github") => {
  const bodies: unknown[] = [];
  const http = {
    now: () => now,
    timeout: () => new AbortController().signal,
    fetch: async (_: string, { body }: RequestInit) => {
      bodies.push(JSON.parse(String(body ?? "null")));
      return new Response('{"id":1}');
    },
  };
  const secrets = { webhook: `whsec_${btoa("a secret of thirty-two bytes ....")}`, github: "token-of-github" };
  const channels = noticeChannels(
    { plan: { ...plan, webhook: { url: "https://hooks.acme.example", format } }, secrets, http },
    { find: () => 1, save: () => {} },
  );
  const data = JSON.stringify({ ...notice.data, ...(channel === "github" && { commit: "0".repeat(40) }) });
  expect(await channels.find(({ name }) => name === channel)?.send({ ...notice, data })).toEqual({ ok: true });
  return bodies.at(-1);
};

const json = (value: unknown): string => JSON.stringify(value, null, 2);

const whatPeopleSee = async (it: Situation): Promise<string> => {
  const standard = await posted(it, "standard", "webhook");
  payloadOf(it.notice.type).parse(standard);
  const screen = (columns: number) => rolloutText(it.rollout, it.now, it.measured, { columns });
  const slack = (await posted(it, "slack", "webhook")) as { readonly text: string };
  const sections = [
    ["screen, 80 columns", screen(80)],
    ["screen, 110 columns", screen(110)],
    ["slack, as text", slack.text],
    ["webhook, slack", json(slack)],
    ["webhook, teams", json(await posted(it, "teams", "webhook"))],
    ["webhook, google-chat", json(await posted(it, "google-chat", "webhook"))],
    ["github, deployment status", json(await posted(it, "standard", "github"))],
    ["webhook, standard", json(standard)],
  ];
  return `${sections.map(([title, text]) => `-- ${title} --\n${text?.trimEnd()}\n`).join("\n")}`;
};

it.each(situationNames)("%s reads as its golden file", async (name) => {
  const seen = await whatPeopleSee(await situationOf(name));
  const file = path.join(folder, `${name}.txt`);
  if (update) {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(file, seen);
  }
  expect(seen).toBe(fs.readFileSync(file, "utf8"));
});

it("no golden file is left of a situation that is gone", () => {
  expect(fs.readdirSync(folder).sort()).toEqual(situationNames.map((name) => `${name}.txt`).sort());
});
