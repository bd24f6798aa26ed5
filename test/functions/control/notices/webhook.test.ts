/** Webhook deliveries for all kinds of answers. Signatures are verified by the library of Standard Webhooks. */
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ControlPlan } from "../../../../functions/control/model/plan.ts";
import { chatMessageOf } from "../../../../functions/control/notifications/chat.ts";
import { payloadOf, payloads } from "../../../../functions/control/notifications/payloads.ts";
import {
  data,
  notice,
  pending,
  type SentRequest,
  secret,
  startedAt,
  token,
  toWebhook,
  url,
  withOutbox,
} from "./outbox-harness.ts";

const minute = 60_000;
const hour = 60 * minute;

afterEach(() => void vi.useRealTimers());

const answers =
  (status: number, headers: Record<string, string> = {}) =>
  () =>
    new Response(null, { status, headers });

const verifyAndParse = ({ at, body, headers }: SentRequest, by = secret): unknown => {
  vi.useFakeTimers({ now: at, toFake: ["Date"] });
  return new Webhook(by).verify(body, Object.fromEntries(headers));
};

it("gets a notice once, signed, in the documented shape", async () => {
  await withOutbox(toWebhook, answers(204), async (it) => {
    await it.take(notice("msg_a_1"));
    await it.take(notice("msg_a_1"));
    expect(it.requests).toEqual([]);
    await it.run();
    const [request] = it.requests as [SentRequest];
    expect(it.requests).toHaveLength(1);
    expect(request).toMatchObject({ method: "POST", url, redirect: "manual" });
    expect(payloadOf("rollout.step").parse(verifyAndParse(request))).toEqual({
      type: "rollout.step",
      timestamp: "2026-11-01T00:00:00.000Z",
      environment: "production",
      data: { ...data, url: "https://control.acme.example/v1/rollouts/wallet/1fe43f7b" },
    });
    expect(request.headers.get("webhook-id")).toBe("msg_a_1");
    expect(it.status()).toMatchObject({
      channels: [{ channel: "webhook", to: "https://hooks.acme.example", pending: 0, heard: 1, givenUp: 0 }],
      notices: [{ id: "msg_a_1", state: "heard", error: "", due: null }],
    });
  });
});

it("gets the signature that WebCrypto computes by the specification", async () => {
  await withOutbox(toWebhook, answers(204), async (it) => {
    await it.take(notice("msg_a_1"));
    await it.run();
    const [{ headers, body }] = it.requests as [SentRequest];
    const bytes = Uint8Array.from(atob(secret.slice("whsec_".length)), (letter) => letter.charCodeAt(0));
    const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const signed = new TextEncoder().encode(`msg_a_1.${startedAt / 1000}.${body}`);
    const hmac = new Uint8Array(await crypto.subtle.sign("HMAC", key, signed));
    expect(headers.get("webhook-timestamp")).toBe(String(startedAt / 1000));
    expect(headers.get("webhook-signature")).toBe(`v1,${btoa(String.fromCharCode(...hmac))}`);
  });
});

it("that answers 500 gets retries for three days under the same id, then the notice is given up", async () => {
  await withOutbox(toWebhook, answers(500), async (it) => {
    await it.take(notice("msg_a_1"));
    await it.run();
    const after = it.requests.map(({ at }) => at - startedAt);
    const schedule = [0, 5000, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];
    expect(after).toEqual(schedule.map((_, index) => schedule.slice(0, index + 1).reduce((sum, ms) => sum + ms)));
    expect(new Set(it.requests.map(({ headers }) => headers.get("webhook-id")))).toEqual(new Set(["msg_a_1"]));
    for (const request of it.requests)
      expect(verifyAndParse(request)).toMatchObject({ timestamp: "2026-11-01T00:00:00.000Z" });
    expect(it.status()).toMatchObject({
      channels: [{ pending: 0, givenUp: 1 }],
      notices: [{ state: "given-up", attempts: 10, error: "answered 500" }],
    });

    it.world.reply = answers(200);
    expect(await it.retry()).toBe(1);
    await it.run();
    expect(it.requests.at(-1)?.headers.get("webhook-id")).toBe("msg_a_1");
    expect(it.status().channels).toMatchObject([{ heard: 1, givenUp: 0 }]);
  });
});

it("sets the delay by Retry-After as seconds or a date, a day at most", async () => {
  const retryAfterValues = ["60", new Date(startedAt + 10 * minute).toUTCString(), "soon", "999999999"];
  await withOutbox(
    toWebhook,
    ({ headers }) =>
      answers(503, { "retry-after": retryAfterValues[Number(headers.get("webhook-id")?.at(-1))] ?? "" })(),
    async (it) => {
      for (const index of retryAfterValues.keys()) await it.take(notice(`msg_${index}`));
      await it.deliver();
      await it.deliver();
      const due = it.status().notices.map(({ due }) => (due ?? 0) - startedAt);
      expect(due.toReversed()).toEqual([minute, 10 * minute, 5000, 24 * hour]);
    },
  );
});

it("that was down gets all notices when it is up again, even if one of them fails", async () => {
  await withOutbox(
    toWebhook,
    () => {
      throw new TypeError(`cannot reach ${url} with ${secret}`);
    },
    async (it) => {
      for (let index = 0; index < 5; index++) await it.take(notice(`msg_${index}`));
      await it.deliver();
      expect(it.status().notices[0]?.error).toBe("could not be reached: cannot reach … with …");
      it.world.reply = ({ headers }) => answers(headers.get("webhook-id") === "msg_2" ? 400 : 200)();
      it.advance(6000);
      await it.deliver();
      expect(it.status().channels).toMatchObject([{ pending: 1, heard: 4 }]);
    },
  );
});

it("that answers 410 gets nothing more, until a test succeeds or the URL changes", async () => {
  await withOutbox(toWebhook, answers(410), async (it) => {
    await it.take(notice("msg_1"));
    await it.take(notice("msg_2"));
    await it.run();
    await it.take(notice("msg_3"));
    await it.run();
    expect(it.requests.length).toBeLessThanOrEqual(2);
    expect(it.status()).toMatchObject({ channels: [{ state: "gone", pending: 0, givenUp: 3 }] });
    expect(await it.test()).toMatchObject([{ ok: false, error: "answered 410 Gone" }]);

    it.world.reply = answers(200);
    expect(await it.test()).toMatchObject([{ ok: true, error: "" }]);
    expect(verifyAndParse(it.requests.at(-1) as SentRequest)).toMatchObject({
      type: "postern.test",
      data: { actor: "alice" },
    });
    await it.take(notice("msg_4"));
    await it.run();
    expect(it.status()).toMatchObject({ channels: [{ state: "on", heard: 1 }] });
  });
  await withOutbox(toWebhook, answers(410), async (it) => {
    await it.take(notice("msg_1"));
    await it.run();
    it.world.channels = { webhook: { url: "https://other.acme.example/", format: "standard" } };
    it.world.reply = answers(200);
    it.reopen();
    await it.take(notice("msg_2"));
    await it.run();
    expect(it.status()).toMatchObject({ channels: [{ state: "on", to: "https://other.acme.example", heard: 1 }] });
  });
});

it("that never answers, redirects, or answers without end costs no more than its time", async () => {
  const bodies = {
    hangs: (_: unknown, signal: AbortSignal) =>
      new Promise<Response>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    redirects: answers(302, { location: "https://elsewhere.example/" }),
    floods: () =>
      new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1 << 20)) })),
  };
  const errors: Record<string, string> = {};
  for (const [name, reply] of Object.entries(bodies))
    await withOutbox(toWebhook, reply, async (it) => {
      it.world.late = name === "hangs";
      await it.take(notice("msg_1"));
      await it.deliver();
      errors[name] = it.status().notices[0]?.error ?? "";
      expect(it.requests).toHaveLength(1);
    });
  expect(errors).toEqual({
    hangs: "did not answer within 10 s",
    redirects: "answered 302, and redirects are not followed",
    floods: "",
  });
});

it("gets two signatures during a rotation; a malformed secret is reported and nothing is sent", async () => {
  const next = `whsec_${btoa("another secret of the same length")}`;
  const both = { webhook: `${next} ${secret}`, github: "" };
  await withOutbox(
    toWebhook,
    answers(200),
    async (it) => {
      await it.take(notice("msg_1"));
      await it.run();
      const [request] = it.requests as [SentRequest];
      expect([verifyAndParse(request), verifyAndParse(request, next)]).toHaveLength(2);
    },
    both,
  );
  for (const webhook of ["", "password", "whsec_", `whsec_${btoa("too short")}`, `${secret} password`])
    await withOutbox(
      toWebhook,
      answers(200),
      async (it) => {
        await it.take(notice("msg_1"));
        await it.deliver();
        expect(it.requests).toEqual([]);
        const [line] = it.status().notices;
        expect(line?.error).toBe("POSTERN_WEBHOOK_SECRET is not whsec_ and the base64 of 24 to 64 bytes");
      },
      { webhook, github: "" },
    );
});

it("gets the notice again under the same id after a crash during the delivery", async () => {
  await withOutbox(
    toWebhook,
    () => pending,
    async (it) => {
      await it.take(notice("msg_1"));
      void it.deliver();
      it.reopen();
      it.world.reply = answers(200);
      await it.deliver();
      expect(it.requests).toHaveLength(1);
      it.advance(minute);
      await it.deliver();
      expect(it.requests.map(({ headers }) => headers.get("webhook-id"))).toEqual(["msg_1", "msg_1"]);
      expect(it.status().notices).toMatchObject([{ state: "heard", attempts: 2 }]);
    },
  );
});

it("the outbox is bounded: a thousand wait, the oldest are given up and counted; data that is too large is dropped", async () => {
  await withOutbox(toWebhook, answers(500), async (it) => {
    for (let index = 0; index < 1003; index++) await it.take(notice(`msg_${index}`));
    expect(it.status().channels).toMatchObject([{ pending: 1000, givenUp: 3 }]);
  });
  await withOutbox(toWebhook, answers(200), async (it) => {
    await it.take(notice("msg_1", { data: { ...data, why: "x".repeat(30_000) } }));
    await it.run();
    expect(JSON.parse(it.requests[0]?.body ?? "")).toMatchObject({ type: "rollout.step", data: {} });
  });
});

describe("a chat", () => {
  const next = [{ command: "npx postern rollout promote wallet", does: "continue with 50 %" }];
  // A reason that looks like a notice of its own stays one line.
  const why = "<!channel> 3 of 9\r\n& more";
  const posted = async (format: "slack" | "teams" | "google-chat", channels: Partial<ControlPlan> = {}) => {
    const bodies: string[] = [];
    await withOutbox({ environment: "staging", webhook: { url, format }, ...channels }, answers(200), async (it) => {
      await it.take(notice("msg_1", { data: { ...data, why, next } }));
      await it.run();
      for (const { headers, body } of it.requests) {
        expect([...headers.keys()].filter((name) => name.startsWith("webhook-"))).toEqual([]);
        bodies.push(body);
      }
    });
    expect(bodies).toHaveLength(1);
    return JSON.parse(bodies[0] as string);
  };
  const evidence = "https://control.acme.example/v1/rollouts/wallet/1fe43f7b";

  it("gets a text with what to type, and no signature: Slack", async () => {
    expect((await posted("slack")).text.split("\n")).toEqual([
      "*wallet in staging: the next step, 10 % of the users*",
      "&lt;!channel&gt; 3 of 9 &amp; more",
      "started by alice: a test",
      "`npx postern rollout promote wallet --env staging`  continue with 50 %",
      `evidence: ${evidence}`,
    ]);
  });

  it("gets text runs without markup: Teams", async () => {
    const { type, attachments } = await posted("teams");
    expect(type).toBe("message");
    expect(attachments).toMatchObject([
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        content: { type: "AdaptiveCard", actions: [{ type: "Action.OpenUrl", url: evidence }] },
      },
    ]);
    const runs = attachments[0].content.body.flatMap(({ inlines }: { inlines: readonly object[] }) => inlines);
    expect(runs).toContainEqual({ type: "TextRun", text: "<!channel> 3 of 9 & more" });
  });

  it("is mentioned by no text: Google Chat", async () => {
    expect((await posted("google-chat")).text).toContain("‹!channel› 3 of 9 & more");
  });

  it("may have a secret URL, which no answer shows", async () => {
    const secrets = { webhook: "", webhookUrl: `${url}\n`, github: token };
    await withOutbox(
      { webhook: { format: "slack" } },
      () => {
        throw new Error(`cannot reach ${url}`);
      },
      async (it) => {
        await it.take(notice("msg_1"));
        await it.deliver();
        expect(it.requests).toMatchObject([{ url }]);
        expect(it.status()).toMatchObject({ channels: [{ to: "https://hooks.acme.example" }] });
        expect(JSON.stringify(it.status())).not.toContain("key=abc");
      },
      secrets,
    );
  });

  it.each([
    ["slack", "hooks.acme.example"],
    ["slack", "http://hooks.acme.example/key=abc"],
    ["standard", "http://hooks.acme.example/key=abc"],
    ["standard", ""],
  ] as const)("is sent nothing where its secret URL is none, or not encrypted: %s %s", async (format, webhookUrl) => {
    await withOutbox(
      { webhook: { format } },
      answers(200),
      async (it) => {
        await it.take(notice("msg_1"));
        await it.deliver();
        expect(it.requests).toEqual([]);
        expect(it.status()).toMatchObject({
          notices: [{ error: expect.stringContaining("POSTERN_WEBHOOK_URL is not") }],
        });
        expect(JSON.stringify(it.status())).not.toContain("key=abc");
      },
      { webhook: secret, webhookUrl, github: token },
    );
  });

  it("reads every type of notice", () => {
    const wave = {
      wave: "w1",
      failed: [{ tier: "maps", why: "it failed" }],
      why: "1 failed",
      startedBy: "alice",
      reason: "r",
    };
    const { title, lines } = chatMessageOf("wave.failed", "production", wave as never);
    expect([title, ...lines]).toEqual([
      "wave w1 in production: it has ended because a tier failed; resuming skips the failed tier",
      "1 failed",
      "maps: it failed",
      "started by alice: r",
    ]);
    const proposal = {
      tier: "wallet",
      proposal: "p1",
      what: "start",
      reason: "r",
      names: ["a: 1 -> 2"],
      actor: "alice",
    };
    expect(chatMessageOf("approval.wanted", "production", proposal as never)).toMatchObject({
      title: "wallet in production: a second person is needed",
      lines: ["start, proposed by alice: r", "a: 1 -> 2"],
      next: [{ command: "npx postern approve p1 --as <name>" }],
    });
    const alert = { tier: "wallet", share: 100, why: "1 of 9 requests failed; control does not act: …" } as never;
    expect(chatMessageOf("rollout.alert", "production", alert).title).toBe(
      "wallet in production: a finding against the new version at 100 %, and control does not act",
    );
    expect(chatMessageOf("rollout.watching", "production", { tier: "wallet", share: 95 } as never).title).toBe(
      "wallet in production: the watch begins at 95 %",
    );
    for (const type of Object.keys(payloads) as (keyof typeof payloads)[])
      expect(chatMessageOf(type, "production", {} as never).title).toMatch(/^production: [a-z]/);
  });
});
