/** The dev loop as a person uses it: start, requests, edits, a broken edit, its fix, stop. */
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { full } from "../full.ts";
import { geoFence, ownParts } from "../infra/own-filter.ts";
import { until } from "../until.ts";
import {
  manifest,
  removeProject,
  runService,
  type Service,
  startService,
  stopService,
  writeFiles,
  writeProject,
} from "./project.ts";

const loop = async (files: Readonly<Record<string, string>>, more: readonly string[] = []) => {
  const running = await startLoop(writeProject(files), more);
  onTestFinished(async () => void (await running.stop()));
  return running;
};

const startLoop = async (root: string, more: readonly string[] = []) => {
  const command = [path.join(codeRoot, "infra/cli.ts"), "dev", "--root", root, "--port", "0", ...more];
  const child = spawn(process.execPath, command, {
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (part) => {
      output += part;
    });
  const ended = new Promise<number | null>((end) => child.once("exit", end));
  const stop = async () => {
    child.kill("SIGTERM");
    return ended;
  };
  try {
    await until(
      () => /ready in/.test(output),
      () => `it is ready: ${output}`,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  const url = /http:\/\/localhost:\d+/.exec(output)?.[0] ?? "";
  return {
    url,
    root,
    output: () => output,
    edit: (file: string, text: string) => fs.writeFileSync(path.join(root, file), text),
    get: async (target: string) => {
      const response = await fetch(url + target);
      return { status: response.status, text: await response.text() };
    },
    stop,
    /** Machines that run. */
    machines: () => childrenOf(child.pid),
  };
};

const childrenOf = (parent: number | undefined): string[] =>
  fs.readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && fs.readFileSync(`/proc/${pid}/status`, "utf8").includes(`\nPPid:\t${parent}\n`);
    } catch {
      return false;
    }
  });

const freePort = async (): Promise<number> => {
  const server = http.createServer().listen(0, "localhost");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
};

const tier = (name: string, url: string, extra = "") =>
  manifest(name, `${extra}upstreams: { it: { http: "${url}" } }\nroutes: { all: { match: "GET /{rest*}", to: it } }\n`);

/** What makes each edit another plan. */
const turned = (turn: number) => `filters: [{ headers: { response: { set: { x-turn: "${turn}" } } } }]\n`;

it("follows an edit, and keeps the last good one of a tier whose manifest breaks", async () => {
  const upstream = await runService((request, response) => response.end(`a ${request.url}`));
  const other = await runService((request, response) => response.end(`b ${request.url}`));
  const { get, edit, output } = await loop({
    "routes/one.yaml": tier("one", upstream.url),
    "routes/two.yaml": tier("two", upstream.url),
  });
  expect(await get("/one/x")).toEqual({ status: 200, text: "a /one/x" });

  edit("routes/one.yaml", tier("one", other.url));
  await until(() => /reloaded in/.test(output()), "it reloads");
  expect((await get("/one/x")).text).toBe("b /one/x");

  edit("routes/one.yaml", tier("one", upstream.url, "oops: 1\n"));
  await until(() => /keeps its last valid manifest/.test(output()), "it says what is broken");
  expect(output()).toMatch(/routes\/one\.yaml:5:1 {2}unknown-key {2}the manifest has no "oops"/);
  expect((await get("/one/x")).text).toBe("b /one/x");

  // The other team's edit still goes live.
  edit("routes/two.yaml", tier("two", other.url));
  await until(() => (output().match(/reloaded in/g) ?? []).length === 2, "the other tier reloads");
  expect((await get("/two/x")).text).toBe("b /two/x");
  expect((await get("/one/x")).text).toBe("b /one/x");

  edit("routes/one.yaml", tier("one", upstream.url));
  await until(() => (output().match(/reloaded in/g) ?? []).length === 3, "the mended tier reloads");
  expect((await get("/one/x")).text).toBe("a /one/x");
  expect(output().match(/^.* is valid again$/gm)).toEqual(["routes/one.yaml is valid again"]);

  // A fix that restores the deployed manifest changes no Worker, and is reported all the same.
  const complaints = () => (output().match(/unknown-key/g) ?? []).length;
  const before = complaints();
  edit("routes/one.yaml", tier("one", upstream.url, "oops: 1\n"));
  await until(() => complaints() > before, "it says what is broken");
  edit("routes/one.yaml", tier("one", upstream.url));
  await until(() => (output().match(/is valid again/g) ?? []).length === 2, "it says that the file is valid");
});

it("says what it is doing, answers 503 until it is ready, and ends on SIGTERM with all that it started", async () => {
  const upstream = await runService((_, response) => response.end("ok"));
  const answers: [status: number, type: string | null, retry: string | null, code: string][] = [];
  const port = await freePort();
  let isRunning = true;
  const early = (async () => {
    while (isRunning) {
      const response = await fetch(`http://localhost:${port}/one/x`).catch(() => undefined);
      if (response?.status === 503) {
        const { code } = (await response.json()) as { code: string };
        answers.push([503, response.headers.get("content-type"), response.headers.get("retry-after"), code]);
      }
      await new Promise((wake) => setTimeout(wake, 20));
    }
  })();
  const files = {
    "routes/one.yaml": tier("one", upstream.url),
    "routes/environments/local.yaml": "dev: { services: { idle: 'exec sleep 1000' } }\n",
  };
  const { output, get, stop, root } = await loop(files, ["--port", String(port)]);
  isRunning = false;
  await early;
  expect(new Set(answers.map((it) => it.join()))).toEqual(new Set(["503,application/problem+json,5,starting"]));
  const [stages = "", rest = ""] = output().split(/^postern http/m);
  expect(
    stages
      .match(/ s {2}(?:load|compile|bundle|start) /g)
      ?.slice(0, 3)
      .join(""),
  ).toBe(" s  load  s  compile  s  bundle ");
  expect(stages).toMatch(/ s {2}start .*gate-one-local/);
  expect(rest).toContain("ready in");
  expect(await get("/one/x")).toEqual({ status: 200, text: "ok" });

  expect(processesIn(root).length).toBeGreaterThan(0);
  expect(await stop()).toBe(0);
  await until(() => processesIn(root).length === 0, "its services have ended");
});

const processesIn = (folder: string): string[] =>
  fs.readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && fs.readlinkSync(`/proc/${pid}/cwd`) === folder;
    } catch {
      return false;
    }
  });

it("names the process that has its port, and what to do", async () => {
  const upstream = await runService((_, response) => response.end("ok"));
  const { port } = new URL(upstream.url);
  const args = [
    path.join(codeRoot, "infra/cli.ts"),
    "dev",
    "--root",
    writeProject({ "routes/one.yaml": tier("one", upstream.url) }),
  ];
  const { status, stderr } = spawnSync(process.execPath, [...args, "--port", port], { encoding: "utf8" });
  expect(status).toBe(3);
  expect(stderr).toMatch(
    new RegExp(
      `port ${port} is taken by process ${process.pid}: .*\n.*kill ${process.pid}.*--port ${Number(port) + 1}`,
    ),
  );
});

it.runIf(full)("loses no request while generations change", async () => {
  const upstream = await runService((_, response) => setTimeout(() => response.end("ok"), 30));
  const { get, edit, output } = await loop({ "routes/one.yaml": tier("one", upstream.url) });
  let isRunning = true;
  const statuses: number[] = [];
  const clients = Array.from({ length: 8 }, async () => {
    while (isRunning) statuses.push((await get("/one/x")).status);
  });
  for (let turn = 1; turn <= 3; turn++) {
    edit("routes/one.yaml", tier("one", upstream.url, turned(turn)));
    await until(() => (output().match(/reloaded in/g) ?? []).length === turn, "it reloads");
  }
  isRunning = false;
  await Promise.all(clients);
  expect(statuses.length).toBeGreaterThan(30);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
});

describe.runIf(full)("with several isolates", () => {
  const files = (url: string, turn: number) => tier("one", url, turned(turn));

  /** Clients that keep their connections, by turns with a body and without. */
  const clients = (url: string, count: number) => {
    const answers: string[] = [];
    let connections = 0;
    let isRunning = true;
    const ask = (agent: http.Agent, method: string) =>
      new Promise<void>((done) => {
        const request = http.request(`${url}/one/x`, { agent, method }, (response) => {
          answers.push(`${response.statusCode}`);
          response.resume().once("close", done);
        });
        request.once("socket", (socket) => socket.connecting && connections++);
        request.once("error", ({ message }) => {
          answers.push(message);
          done();
        });
        request.end(method === "POST" ? "hello" : undefined);
      });
    const all = Array.from({ length: count }, async (_, index) => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      while (isRunning) await ask(agent, index % 2 === 0 ? "GET" : "POST");
      agent.destroy();
    });
    return {
      answers,
      connections: () => connections,
      stop: async () => {
        isRunning = false;
        await Promise.all(all);
      },
    };
  };

  it("edits neither lose a request nor close a connection", async () => {
    const upstream = await runService((request, response) => {
      request.resume();
      setTimeout(() => response.end("ok"), 30);
    });
    const every = files(upstream.url, 1).replace("GET /{rest*}", "ANY /{rest*}");
    const { url, edit, output, machines } = await loop({ "routes/one.yaml": every }, ["--isolates", "4"]);
    const traffic = clients(url, 6);
    await until(() => traffic.answers.length > 6, "each client has sent requests");
    for (let turn = 2; turn <= 4; turn++) {
      edit("routes/one.yaml", every.replace(turned(1), turned(turn)));
      await until(() => (output().match(/reloaded in/g) ?? []).length === turn - 1, "it reloads");
    }
    const before = machines().length;
    // Replaced machines end while the clients continue.
    await until(() => machines().length < before, "what was replaced ends");
    await traffic.stop();
    expect(traffic.answers.filter((it) => it !== "200")).toEqual([]);
    expect(traffic.connections()).toBe(6);
  });

  it("a signal in the midst of an edit and of requests ends all of it, and waits for neither", async () => {
    const upstream = await runService((_, response) => setTimeout(() => response.end("ok"), 30));
    const { url, edit, output, stop, machines } = await loop({ "routes/one.yaml": files(upstream.url, 1) }, [
      "--isolates",
      "4",
    ]);
    const traffic = clients(url, 4);
    await until(() => traffic.answers.length > 4, "each client has sent requests");
    const running = machines();
    edit("routes/one.yaml", files(upstream.url, 2));
    await until(() => machines().some((it) => !running.includes(it)), "the edit is on its way");
    const all = machines();
    const code = await stop();
    void traffic.stop();
    expect(code).toBe(0);
    expect(output()).not.toMatch(/reloaded in|keeps running/);
    await until(() => all.every((pid) => !fs.existsSync(`/proc/${pid}`)), "its machines have ended");
  });
});

it.runIf(full)(
  "ends with the npm that it was started by, which tells its shell of a signal and nobody else",
  async () => {
    const root = writeProject({
      "routes/one.yaml": tier("one", "http://localhost:9"),
      "routes/environments/local.yaml": "dev: { services: { idle: 'exec sleep 1000' } }\n",
    });
    const npm = spawn("npm", ["run", "dev", "--", "--root", root, "--port", "0"], {
      cwd: codeRoot,
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [npm.stdout, npm.stderr])
      stream.on("data", (part) => {
        output += part;
      });
    // Its pipes close when no process holds them: neither the loop, nor a machine, nor a service.
    const closed = new Promise<void>((end) => npm.once("close", () => end()));
    onTestFinished(async () => {
      npm.kill("SIGTERM");
      await closed;
    });
    await until(
      () => /ready in/.test(output),
      () => `it is ready: ${output}`,
    );
    npm.kill("SIGTERM");
    await closed;
    const url = /http:\/\/localhost:\d+/.exec(output)?.[0] ?? "";
    await expect(fetch(`${url}/one/x`)).rejects.toThrow();
  },
);

it.runIf(full)("serves a request through parts of the project, and follows edits of them", async () => {
  const service = await runService((request, response) => response.end(request.url));
  const files = ownParts(service.url);
  const running = await loop(files);
  const get = async (country: string) => {
    const response = await fetch(`${running.url}/fenced/things/7`, { headers: { "x-country": country } });
    return [response.status, await response.text()];
  };
  expect(await get("CH")).toEqual([200, "/dispatch?to=%2Ffenced%2Fthings%2F7"]);
  expect((await get("IS"))[0]).toBe(403);

  const filter = "functions/filters/geo-fence.ts";
  running.edit(filter, geoFence.replace("403", "451"));
  await until(async () => (await get("IS"))[0] === 451, "the edit of the filter is live");
  running.edit(filter, geoFence.replace("export const make", "export const mkae"));
  await until(() => /geo-fence\.ts:1:1 {2}part-unfit/.test(running.output()), "the problem is shown");
  expect((await get("IS"))[0]).toBe(451);
  // Another tier is not held up.
  running.edit("routes/plain.yaml", `${files["routes/plain.yaml"]}  more: { match: GET /more, to: it }\n`);
  await until(async () => (await running.get("/plain/more")).status === 200, "the edit of another tier is live");
  running.edit("functions/shared/country.ts", "export const countryOf = (_: Request): string => 'CH';\n");
  running.edit(filter, geoFence);
  await until(async () => (await get("IS"))[0] === 200, "the edit of what the filter imports is live");
});

describe("one loop", () => {
  let service: Service;
  let root: string;
  let running: Awaited<ReturnType<typeof startLoop>>;
  let answer: http.RequestListener;
  const one = (url: string, more = "") =>
    manifest(
      "one",
      `log: { sample: 0% }
${more}upstreams: { it: { http: "${url}" } }
routes:
  live: { match: GET /live, to: it, upgrade: websocket }
  all: { match: "ANY /{rest*}", to: it }
`,
    );

  beforeAll(async () => {
    service = await startService((request, response) => answer(request, response));
    root = writeFiles({
      "routes/one.yaml": one(service.url),
      "routes/two.yaml": tier("two", service.url, "oops: 1\n"),
    });
    running = await startLoop(root);
  });
  afterAll(async () => {
    await running?.stop();
    stopService(service);
    removeProject(root);
  });
  beforeEach(() => {
    answer = (_, response) => response.end("ok");
  });

  it("with one tier broken from the start, the others serve", async () => {
    const { get, output } = running;
    expect(output()).toContain("unknown-key");
    expect((await get("/one/x")).status).toBe(200);
    expect((await get("/two/x")).status).toBe(404);
  });

  it("has an access line for each request, whatever the manifest samples", async () => {
    const { get, output } = running;
    const lines = () => output().match(/ 200 GET {4}one\/all /g) ?? [];
    const before = lines().length;
    for (let turn = 0; turn < 3; turn++) await get("/one/x");
    await until(() => lines().length === before + 3, "each request has its line");
  });

  it("an edit of format or comments changes nothing that runs", async () => {
    const { edit, output } = running;
    edit("routes/one.yaml", `# a comment\n${one(service.url)}\n`);
    // A burst of edits is over then, so that the next one is another.
    await new Promise((wake) => setTimeout(wake, 100));
    edit("routes/one.yaml", one(service.url, turned(1)));
    const reloads = () => output().match(/reloaded in/g) ?? [];
    await until(() => reloads().length > 0, "an edit of what runs reloads");
    expect(reloads()).toHaveLength(1);
  });

  it("the ingress sets the client's address, whatever the client sends", async () => {
    answer = (request, response) => response.end(String(request.headers["x-forwarded-for"]));
    const response = await fetch(`${running.url}/one/x`, {
      headers: { "cf-connecting-ip": "10.0.0.1", "x-forwarded-for": "10.0.0.1" },
    });
    expect(await response.text()).toMatch(/^(?:127\.0\.0\.1|::1)$/);
  });

  it("the ingress forwards a client's reset, and no cut body as a whole one", async () => {
    let ended = "";
    let begun = false;
    answer = async (request) => {
      begun = true;
      try {
        for await (const _ of request);
        ended = "complete";
      } catch {
        ended = "broken";
      }
    };
    const request = http.request(`${running.url}/one/x`, { method: "POST", headers: { "content-length": 1_000_000 } });
    request.on("error", () => {});
    request.write(Buffer.alloc(100_000));
    await until(() => begun, "the service has the request");
    request.socket?.resetAndDestroy();
    await until(() => ended !== "", "the body ends");
    expect(ended).toBe("broken");
  });

  it("a WebSocket passes the ingress", async () => {
    new WebSocketServer({ server: service.server }).on("connection", (socket) => {
      socket.on("message", (message) => socket.send(`echo ${message}`));
    });
    const socket = new WebSocket(`${running.url.replace("http", "ws")}/one/live`);
    await new Promise((opened, failed) => socket.once("open", opened).once("error", failed));
    const message = new Promise((message) => socket.once("message", (data) => message(String(data))));
    socket.send("hello");
    expect(await message).toBe("echo hello");
    socket.close();
  });
});
