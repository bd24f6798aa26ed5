/** GitHub deployments of rollouts: one each, with statuses in order. */
import { expect, it } from "vitest";
import { commit, data, notice, type SentRequest, toGithub, token, withOutbox } from "./outbox-harness.ts";

const lines = (requests: readonly SentRequest[]): string[] =>
  requests.map(({ method, url, body }) => {
    const { pathname, search } = new URL(url);
    const { state, task } = body ? JSON.parse(body) : {};
    return [method, pathname.replace("/repos/acme/routes", "") + search, state ?? task].filter(Boolean).join(" ");
  });

/** A repository that has the requested deployments. */
const repository = () => {
  const tasks: string[] = [];
  return ({ method, url, body }: SentRequest): Response => {
    const { pathname, searchParams } = new URL(url);
    if (method === "GET") {
      const id = tasks.indexOf(searchParams.get("task") ?? "");
      return Response.json(id < 0 ? [] : [{ id: id + 1 }]);
    }
    if (pathname.endsWith("/deployments")) {
      tasks.push(JSON.parse(body).task);
      return Response.json({ id: tasks.length }, { status: 201 });
    }
    return Response.json({}, { status: 201 });
  };
};

const noticeAbout = (rollout: string, more: object = {}) => ({ subject: rollout, data: { ...data, rollout, ...more } });

it("gets one deployment for each rollout, of its commit, with statuses in order", async () => {
  await withOutbox(toGithub, repository(), async (it) => {
    await it.take({ ...notice("msg_1"), type: "rollout.started" });
    await it.take(notice("msg_2"));
    await it.take({
      ...notice("msg_3"),
      type: "rollout.failed",
      data: { ...data, status: "returning", why: "y".repeat(900) },
    });
    await it.take({
      ...notice("msg_4"),
      type: "rollout.rolled_back",
      data: { ...data, status: "rolled-back", why: "it failed" },
    });
    await it.run();
    expect(lines(it.requests)).toEqual([
      "GET /deployments?task=postern%3A1fe43f7b&per_page=1",
      "POST /deployments postern:1fe43f7b",
      "POST /deployments/1/statuses in_progress",
      "POST /deployments/1/statuses in_progress",
      "POST /deployments/1/statuses failure",
      "POST /deployments/1/statuses failure",
    ]);
    expect(JSON.parse(it.requests[1]?.body ?? "")).toEqual({
      ref: commit,
      task: "postern:1fe43f7b",
      auto_merge: false,
      required_contexts: [],
      environment: "production/wallet",
      production_environment: true,
      description: "a test",
      payload: { rollout: "1fe43f7b", tier: "wallet" },
    });
    const failed = JSON.parse(it.requests[4]?.body ?? "");
    expect(failed.description).toHaveLength(140);
    expect(failed.log_url).toBe("https://control.acme.example/v1/rollouts/wallet/1fe43f7b");
    for (const { headers, redirect } of it.requests) {
      expect(headers.get("authorization")).toBe(`Bearer ${token}`);
      expect([headers.get("user-agent"), headers.get("x-github-api-version"), redirect]).toEqual([
        "postern",
        "2022-11-28",
        "manual",
      ]);
    }
  });
});

it("a failure for one rollout keeps its order and delays no other rollout", async () => {
  const healthy = repository();
  const reply = (request: SentRequest) =>
    request.url.includes("bad") ? new Response(null, { status: 502 }) : healthy(request);
  await withOutbox(toGithub, reply, async (it) => {
    await it.take(notice("msg_1", noticeAbout("bad")));
    await it.take({ ...notice("msg_2", noticeAbout("bad")), type: "rollout.promoted" });
    await it.take({ ...notice("msg_3", noticeAbout("good")), type: "rollout.promoted" });
    await it.deliver();
    expect(it.status().channels).toMatchObject([{ to: "acme/routes", pending: 2, heard: 1 }]);
    it.world.reply = healthy;
    it.advance(6000);
    await it.deliver();
    expect(lines(it.requests).filter((line) => line.includes("/statuses"))).toEqual([
      "POST /deployments/1/statuses success",
      "POST /deployments/2/statuses in_progress",
      "POST /deployments/2/statuses success",
    ]);
  });
});

it("gets no second deployment after a lost answer", async () => {
  const healthy = repository();
  let lost = 1;
  const reply = (request: SentRequest) => {
    const response = healthy(request);
    if (request.method === "POST" && lost-- > 0) throw new Error("connection reset");
    return response;
  };
  await withOutbox(toGithub, reply, async (it) => {
    await it.take(notice("msg_1"));
    await it.run();
    const posts = lines(it.requests).filter((line) => line.startsWith("POST"));
    expect(posts).toEqual(["POST /deployments postern:1fe43f7b", "POST /deployments/1/statuses in_progress"]);
  });
});

it("gets nothing for a rollout without a commit; one given-up notice has the reason", async () => {
  await withOutbox(toGithub, repository(), async (it) => {
    await it.take({ ...notice("msg_1", noticeAbout("a", { commit: null })), type: "rollout.started" });
    await it.take(notice("msg_2", noticeAbout("a", { commit: null })));
    await it.run();
    expect(it.requests).toEqual([]);
    expect(it.status().notices).toMatchObject([
      { id: "msg_1", state: "given-up", error: expect.stringContaining("--commit") },
    ]);
  });
});

it.each([
  [401, "answered 401: GITHUB_TOKEN is not valid", "pending"],
  [404, "answered 404: no such repository, or GITHUB_TOKEN may not see its deployments", "pending"],
  [422, "answered 422: the repository has no such commit; push it before the rollout", "given-up"],
])("that answers %i is told again where that may help: %s", async (status, error, state) => {
  const reply = () => Response.json({ message: token }, { status });
  await withOutbox(toGithub, reply, async (it) => {
    await it.take(notice("msg_1"));
    await it.deliver();
    expect(it.status().notices).toMatchObject([{ error, state }]);
    expect(await it.test()).toMatchObject([{ ok: false, error, to: "acme/routes" }]);
  });
});

it("is retried when its rate limit resets", async () => {
  const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Date.UTC(2026, 10, 1, 0, 40) / 1000) };
  await withOutbox(
    toGithub,
    () => new Response(null, { status: 403, headers }),
    async (it) => {
      await it.take(notice("msg_1"));
      await it.deliver();
      expect(it.alarm()).toBe(Date.UTC(2026, 10, 1, 0, 40));
    },
  );
});
