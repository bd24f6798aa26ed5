/** A way back across a secret that changed: of a person's nobody is asked to bring it back, of the cache's own nobody needs to be. */
import { expect, it } from "vitest";
import { act } from "../../functions/control/actuator/calls.ts";
import { changedSecretsIn, onlyGeneratedChanged } from "../../functions/control/model/changed-secrets.ts";

const said = (names: string) => `The following secrets have changed: ${names}`;

it.each([
  ["POSTERN_CACHE_KEY", true],
  ["PAY_KEY", false],
  ["PAY_KEY, POSTERN_CACHE_KEY", false],
  ["POSTERN_CACHE_KEY_2", false],
  ["", false],
])("%j is the cache's own alone: %j", (names, own) => {
  expect(onlyGeneratedChanged(said(names))).toBe(own);
  expect(onlyGeneratedChanged(`${said(names)} [code: 10220]`)).toBe(own);
  expect(changedSecretsIn(said(names)).join(", ")).toBe(names);
});

const split = async (names: string) => {
  const asked: string[] = [];
  const send = async (url: string): Promise<Response> => {
    asked.push(url.slice(url.indexOf("/deployments")));
    return url.endsWith("?force=true")
      ? Response.json({ success: true, result: { id: "d1" } })
      : Response.json({ success: false, errors: [{ code: 10220, message: said(names) }] }, { status: 400 });
  };
  const plan = { api: "https://api.example", account: "acc", workers: ["gate-a"] } as never;
  const body = JSON.stringify({ worker: "gate-a", versions: [{ version_id: "v", percentage: 100 }], message: "back" });
  const request = new Request("https://actuator/split", { method: "POST", body });
  const answer = await act(request, plan, { send, token: "t", timeout: () => AbortSignal.timeout(1000) });
  return { asked, answer: (await answer.json()) as { readonly ok: boolean } };
};

it("control goes back to a version from before the cache's secret", async () => {
  expect(await split("POSTERN_CACHE_KEY")).toMatchObject({
    asked: ["/deployments", "/deployments?force=true"],
    answer: { ok: true },
  });
});

it("and never brings a person's secret back", async () => {
  expect(await split("POSTERN_CACHE_KEY, PAY_KEY")).toMatchObject({ asked: ["/deployments"], answer: { ok: false } });
});
