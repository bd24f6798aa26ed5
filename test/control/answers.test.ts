/** Control validates the answers of the actuator and the feed, which are deployed independently: a malformed answer decides nothing. */
import { describe, expect, it } from "vitest";
import { answerSchemas, callActuator } from "../../functions/control/actuator/answers.ts";
import { feedClient } from "../../functions/control/overlay/feed-client.ts";
import { parseFeed } from "../../functions/feed/entries.ts";

const answering = (body: unknown, status = 200) => ({
  fetch: async () => new Response(typeof body === "string" ? body : JSON.stringify(body), { status }),
});

describe("the actuator's answer", () => {
  const deployments = (body: unknown) =>
    callActuator(answering(body) as never, "deployments", {}, answerSchemas.deployments);
  const one = {
    id: "d1",
    versions: [{ version_id: "v1", percentage: 100 }],
    message: null,
    author: null,
    trigger: null,
  };

  it("is a result or a failure", async () => {
    expect(await deployments({ ok: true, result: [{ ...one, more: 1 }] })).toEqual({ ok: true, result: [one] });
    const fault = { ok: false, status: 429, code: 10013, message: "slowly", retryAfterMs: 2000 };
    expect(await deployments(fault)).toEqual(fault);
  });

  it.each([
    ["no JSON", "<html>"],
    ["nothing", null],
    ["no result", { ok: true }],
    ["a deployment without versions", { ok: true, result: [{ ...one, versions: undefined }] }],
    ["a result that is not a list", { ok: true, result: one }],
    ["a failure without a message", { ok: false, status: 500, code: null }],
  ])("counts as a failure without a status if it is malformed: %s", async (_, body) => {
    expect(await deployments(body)).toMatchObject({ ok: false, status: 0, message: expect.any(String) });
  });
});

describe("the feed's state", () => {
  const entry = { kind: "close", until: 5, of: "a later release" };

  it("keeps unknown fields of entries, which a later release may write", async () => {
    const stored = { revision: 3, entries: [entry], revoked: [{ kind: "token", until: 9 }] };
    expect(parseFeed(stored)).toBe(stored);
    expect(await feedClient(answering(stored) as never).read("wallet")).toEqual(stored);
    expect(parseFeed({ revision: 0, entries: [] })).toEqual({ revision: 0, entries: [] });
  });

  it.each([
    ["nothing", null],
    ["no revision", { entries: [] }],
    ["no lists", { revision: 1, entries: {} }],
    ["an entry that is not an object", { revision: 1, entries: [1] }],
    ["an entry without an expiry", { revision: 1, entries: [{ kind: "close", until: null }] }],
    ["a revocation without a kind", { revision: 1, entries: [], revoked: [{ until: 5 }] }],
  ])("is an error if it is malformed: %s", async (_, body) => {
    expect(() => parseFeed(body)).toThrow(TypeError);
    await expect(feedClient(answering(body) as never).read("wallet")).rejects.toThrow();
    await expect(feedClient(answering(body) as never).write("wallet", 1, [])).rejects.toThrow();
  });

  it("is an error if the feed refuses a read; an outdated write returns undefined", async () => {
    await expect(feedClient(answering("", 500) as never).read("wallet")).rejects.toThrow("500");
    await expect(feedClient(answering("", 412) as never).read("wallet")).rejects.toThrow("412");
    expect(await feedClient(answering("", 412) as never).write("wallet", 1, [])).toBeUndefined();
  });
});
