/** A rollback across a changed secret: refused for secrets that people set, forced for generated ones. */
import { expect, it } from "vitest";
import { handleActuatorCall } from "../../functions/control/actuator/calls.ts";
import { changedSecretsIn, isOnlyGeneratedChanged } from "../../functions/control/model/changed-secrets.ts";

const refusal = (names: string) => `The following secrets have changed: ${names}`;

it.each([
  ["POSTERN_CACHE_KEY", true],
  ["POSTERN_SPLIT_KEY", true],
  ["PAY_KEY", false],
  ["POSTERN_SPLIT_KEY, PAY_KEY", false],
  ["PAY_KEY, POSTERN_CACHE_KEY", false],
  ["POSTERN_CACHE_KEY_2", false],
  ["", false],
])("%j are generated ones alone: %j", (names, own) => {
  expect(isOnlyGeneratedChanged(refusal(names))).toBe(own);
  expect(isOnlyGeneratedChanged(`${refusal(names)} [code: 10220]`)).toBe(own);
  expect(changedSecretsIn(refusal(names)).join(", ")).toBe(names);
});

const split = async (names: string) => {
  const requests: string[] = [];
  const send = async (url: string): Promise<Response> => {
    requests.push(url.slice(url.indexOf("/deployments")));
    return url.endsWith("?force=true")
      ? Response.json({ success: true, result: { id: "d1" } })
      : Response.json({ success: false, errors: [{ code: 10220, message: refusal(names) }] }, { status: 400 });
  };
  const plan = { api: "https://api.example", account: "acc", workers: ["gate-a"] } as never;
  const body = JSON.stringify({ worker: "gate-a", versions: [{ version_id: "v", percentage: 100 }], message: "back" });
  const request = new Request("https://actuator/split", { method: "POST", body });
  const answer = await handleActuatorCall(request, plan, {
    send,
    token: "t",
    timeout: () => AbortSignal.timeout(1000),
  });
  return { requests, answer: (await answer.json()) as { readonly ok: boolean } };
};

it.each(["POSTERN_CACHE_KEY", "POSTERN_SPLIT_KEY"])(
  "rolls back to a version from before the generated %s",
  async (name) => {
    expect(await split(name)).toMatchObject({
      requests: ["/deployments", "/deployments?force=true"],
      answer: { ok: true },
    });
  },
);

it("never restores a secret that a person has set", async () => {
  expect(await split("POSTERN_CACHE_KEY, PAY_KEY")).toMatchObject({
    requests: ["/deployments"],
    answer: { ok: false },
  });
});
