/** What a person reads who gets something wrong on the first day: one sentence, and what to do. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { NoAnswer } from "../../infra/release/api.ts";
import { failureIn } from "../../infra/release/wrangler-failure.ts";
import { postern } from "../command-line.ts";
import { bank } from "../fixtures/bank.ts";

const scratch = (): string => {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "postern-")));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/** A project whose package `postern` has these files and no others. */
const packageWith = (...files: readonly string[]): string => {
  const root = path.join(scratch(), "node_modules/postern");
  for (const file of ["package.json", ...files])
    fs.cpSync(path.join(codeRoot, file), path.join(root, file), { recursive: true });
  return root;
};

/** Runs a script under a Node of this version, as far as it can see. */
const runAs = (version: string, script: string, ...args: readonly string[]) => {
  const older = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;
  const all = ["--import", `data:text/javascript,${older}`, script, ...args];
  const { status, stderr } = spawnSync(process.execPath, all, { encoding: "utf8" });
  return [status, stderr.replaceAll(/'[^']*\//g, "'…/")];
};

describe("in a folder that is no project", () => {
  it.each([["check"], ["dev", "--port", "0"], ["test"], ["build"], ["routes"], ["deploy"]])("%s", async (...args) => {
    const root = scratch();
    const { code, err } = await postern([...args, "--root", root]);
    expect([code, err.split("\n").slice(-3).join("\n")]).toEqual([
      3,
      `postern: there is no folder routes/ in ${root}\n         go to the project's folder, or give --root; npx postern init begins a project\n`,
    ]);
  });
});

describe("the wrong Node", () => {
  it.each(["20.20.2", "22.17.1"])("%s gets one sentence from npm create postern", (version) => {
    expect(runAs(version, path.join(codeRoot, "create/create-postern.js"), "x")).toEqual([
      3,
      `create-postern: this is Node ${version}, and postern needs 22.18 or newer; install it from https://nodejs.org\n`,
    ]);
  });

  it("gets one from the package", () => {
    expect(runAs("20.20.2", path.join(packageWith("infra/postern.js"), "infra/postern.js"), "dev")).toEqual([
      3,
      "postern: this is Node 20.20.2, and postern needs 22.18 or newer\n         install it from https://nodejs.org, or by your version manager\n",
    ]);
  });
});

describe("an incomplete installation", () => {
  it("without packages of postern's own", () => {
    const root = scratch();
    fs.cpSync(path.join(codeRoot, "infra"), path.join(root, "infra"), { recursive: true });
    expect(runAs("24.0.0", path.join(root, "infra/postern.js"), "dev")).toEqual([
      3,
      "postern: the project's packages are not there (Cannot find package '…/extra-typings')\n         npm ci installs them\n",
    ]);
  });

  it.each([
    ["a package", () => packageWith("infra/postern.js"), "npm ci installs it anew"],
    [
      "a checkout",
      () => {
        const root = scratch();
        fs.cpSync(path.join(codeRoot, "infra/postern.js"), path.join(root, "infra/postern.js"), { recursive: true });
        return root;
      },
      "git status shows which files are missing",
    ],
  ])("without files of its own: %s", (_, make, remedy) => {
    expect(runAs("24.0.0", path.join(make(), "infra/postern.js"), "dev")).toEqual([
      3,
      `postern: this copy of postern is incomplete (Cannot find module '…/cli.ts')\n         ${remedy}\n`,
    ]);
  });
});

it("a port in use: whose it is, and which is next", async () => {
  const server = http.createServer().listen(0, "localhost");
  await new Promise((listening) => server.once("listening", listening));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { code, err } = await postern(["dev", "--port", String(port)]);
  expect([code, err]).toEqual([
    3,
    expect.stringMatching(
      new RegExp(`^postern: port ${port} is taken.*\\n {9}stop .*, or take another port: --port ${port + 1}\\n$`),
    ),
  ]);
});

describe("Cloudflare", () => {
  it("cannot be reached: the network's own reason, and what to look at", () => {
    const hidden = new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND api.cloudflare.com") });
    const { message, remedy } = new NoAnswer("https://api.cloudflare.com/client/v4/x", hidden);
    expect([message, remedy]).toEqual([
      "https://api.cloudflare.com does not answer (getaddrinfo ENOTFOUND api.cloudflare.com)",
      "see whether this machine reaches it: network, proxy, DNS; then run the same command again: it continues where it stopped",
    ]);
  });

  it("gets no token", () => {
    const output =
      "✘ [ERROR] In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable for wrangler to work. Please go to https://developers.cloudflare.com/\n";
    expect(failureIn(output)).toEqual({
      cause: "there is no token for Cloudflare",
      remedy: "npx wrangler login, or set CLOUDFLARE_API_TOKEN",
      code: undefined,
    });
  });

  it("is to be local, and does not run", async () => {
    const server = http.createServer().listen(0, "127.0.0.1");
    await new Promise((listening) => server.once("listening", listening));
    const { port } = server.address() as AddressInfo;
    await new Promise((closed) => server.close(closed));
    const { code, err } = await postern(["deploy", "--target", `http://127.0.0.1:${port}`, "--root", bank]);
    expect([code, err.slice(err.indexOf("postern:"))]).toEqual([
      3,
      `postern: http://127.0.0.1:${port} does not answer (connect ECONNREFUSED 127.0.0.1:${port})\n         start the local cloud: npx postern cloud\n`,
    ]);
  });
});
