/** The webhook of an environment: what control's plan and its secrets become, for each way to write it. */
import { expect, it } from "vitest";
import { webhookOf, webhookSecrets } from "../../infra/compiler/emit/control-webhook.ts";
import { compileProject, manifest } from "../e2e/project.ts";

const settingsOf = (webhook: string) => {
  const { environment } = compileProject({
    "routes/t.yaml": manifest("t", "routes: { it: { match: GET /it, respond: { status: 200, text: a } } }\n"),
    "routes/environments/local.yaml": `control:
  host: control.acme.example
  key: g1iQurKfrRPxzIsyvX6RSUXJdeNt3kuA7F7mI9y-7ms
  account: "00000000000000000000000000000001"
  operators: {}
  webhook: ${webhook}
`,
  });
  return environment.value.control ?? {};
};

it.each([
  [
    "https://hooks.acme.example/a",
    { url: "https://hooks.acme.example/a", format: "standard" },
    ["POSTERN_WEBHOOK_SECRET"],
  ],
  [
    "{ url: https://chat.acme.example/hooks/1, format: slack }",
    { url: "https://chat.acme.example/hooks/1", format: "slack" },
    [],
  ],
  ["{ secret: POSTERN_WEBHOOK_URL, format: teams }", { format: "teams" }, ["POSTERN_WEBHOOK_URL"]],
  ["{ secret: POSTERN_WEBHOOK_URL }", { format: "standard" }, ["POSTERN_WEBHOOK_URL", "POSTERN_WEBHOOK_SECRET"]],
])("%s", (text, plan, secrets) => {
  const settings = settingsOf(text);
  expect(webhookOf(settings)).toEqual(plan);
  expect(webhookSecrets(settings)).toEqual(secrets);
});

it.each([
  "https://hooks.slack.com/services/T0/B0/x",
  "https://chat.googleapis.com/v1/spaces/x/messages?key=y",
  "{ url: https://prod-1.westeurope.logic.azure.com:443/workflows/x, format: teams }",
])("%s is a secret, and refused", (text) => {
  expect(() => settingsOf(text)).toThrow("secrets set POSTERN_WEBHOOK_URL");
});

it("none without the key", () => {
  expect(webhookOf({})).toBeNull();
  expect(webhookSecrets({})).toEqual([]);
});
