/** `npm create postern`, and the sample services of a new project: both as processes. */
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { expect, it, onTestFinished } from "vitest";
import { codeRoot } from "../../../infra/project/generated-files.ts";
import { until } from "../../until.ts";

const scratch = (): string => {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "postern-")));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
};

it("npm create postern runs init of the package beside it, with what it is given", () => {
  const root = scratch();
  const modules = path.join(root, "node_modules");
  fs.cpSync(path.join(codeRoot, "create"), path.join(modules, "create-postern"), { recursive: true });
  fs.symlinkSync(codeRoot, path.join(modules, "postern"));
  const create = (...args: readonly string[]) =>
    spawnSync(process.execPath, [path.join(modules, "create-postern/create-postern.js"), ...args], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, npm_config_user_agent: "pnpm/10.0.0 node/v24" },
    });
  const { status, stdout, stderr } = create("my-gateway", "--template", "mobile");
  expect([status, stderr, stdout]).toEqual([
    0,
    "",
    expect.stringMatching(/Next:\n\n {2}cd my-gateway\n {2}pnpm install\n {2}pnpm run dev\n$/),
  ]);
  expect(fs.existsSync(path.join(root, "my-gateway/routes/app.yaml"))).toBe(true);
  expect(create("my-gateway", "--template", "nothing").status).toBe(2);
});

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "localhost");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
};

/** @returns its URL, when it answers */
const startSample = async (file: string): Promise<string> => {
  const port = await freePort();
  const script = path.join(codeRoot, "infra/init/templates", file);
  const child = spawn(process.execPath, [script, String(port)], { stdio: "ignore" });
  onTestFinished(() => void child.kill());
  const url = `http://localhost:${port}`;
  await until(
    () =>
      fetch(url).then(
        () => true,
        () => false,
      ),
    `${file} answers`,
  );
  return url;
};

it("the sample identity provider signs tokens that its keys verify", async () => {
  const url = await startSample("services/identity.js");
  const token = await (await fetch(`${url}/token/alice?audience=shop`)).text();
  const keys = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`));
  const { payload } = await jwtVerify(token, keys, { issuer: url, audience: "shop", algorithms: ["RS256"] });
  expect(payload.sub).toBe("alice");
  const nobody = await fetch(`${url}/token/alice`);
  expect([nobody.status, await nobody.text()]).toEqual([404, "ask for /token/alice?audience=<tier>\n"]);
});

it.each([
  { file: "minimal/services/orders.js", at: "orders", header: "x-customer", body: { item: "tea" }, list: "orders" },
  {
    file: "mobile/services/messages.js",
    at: "messages",
    header: "x-user",
    body: { to: "alice", text: "hello" },
    list: "messages",
  },
])("the sample service $at keeps what one user writes, for that user", async ({ file, at, header, body, list }) => {
  const url = `${await startSample(file)}/${at}`;
  const send = (method: string, target = url, text?: string) =>
    fetch(target, { method, headers: { [header]: "alice" }, ...(text !== undefined && { body: text }) });
  expect((await send("POST", url, JSON.stringify(body))).status).toBe(201);
  const all = (await (await send("GET")).json()) as Readonly<Record<string, readonly object[]>>;
  expect(all[list]).toEqual([expect.objectContaining(at === "orders" ? body : { from: "alice", text: "hello" })]);
  expect((await send("GET", `${url}/1`)).status).toBe(200);
  expect((await send("GET", `${url}/2`)).status).toBe(404);
  expect((await send("POST", url, "no JSON")).status).toBe(400);
  const others = await fetch(url, { headers: { [header]: "bob" } });
  expect(await others.json()).toMatchObject({ [list]: [] });
});
