/** An npm registry on loopback that holds the packages of this repository, and passes on what others need. */
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { installPackage } from "../install-package.ts";
import { until } from "../until.ts";

export interface Registry {
  readonly url: string;
  /** @param tarball made by `npm pack` */
  readonly publish: (tarball: string) => void;
  readonly stop: () => Promise<void>;
}

const verdaccio = () =>
  path.join(
    // One of its packages asks for a tag, `node-fetch@cjs`, which mirrors of npm's registry do not have.
    installPackage("verdaccio", "6.10.4", { "node-fetch": "2.7.0" }),
    "bin/verdaccio",
  );

/** The registry of who runs the tests. */
const uplink = (): string => execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim();

/** What other packages were downloaded is kept for the next run. */
const storage = path.join(codeRoot, ".build/packages/registry");
const own = ["postern", "create-postern", ".verdaccio-db.json"];

const configuration = (folder: string): object => ({
  storage,
  auth: { htpasswd: { file: path.join(folder, "htpasswd") } },
  uplinks: { npm: { url: uplink(), timeout: "60s", maxage: "1h" } },
  packages: {
    // Only from here: a package of this name elsewhere is another one.
    postern: { access: "$all", publish: "$all", unpublish: "$all" },
    "create-postern": { access: "$all", publish: "$all", unpublish: "$all" },
    "**": { access: "$all", publish: "$none", proxy: "npm" },
  },
  max_body_size: "50mb",
  web: { enable: false },
  log: { type: "stdout", format: "pretty", level: "warn" },
});

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  await new Promise((closed) => server.close(closed));
  return port;
};

/** @param folder for its configuration */
export const startRegistry = async (folder: string): Promise<Registry> => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = path.join(folder, "verdaccio.yaml");
  fs.mkdirSync(folder, { recursive: true });
  for (const name of own) fs.rmSync(path.join(storage, name), { recursive: true, force: true });
  // JSON is YAML.
  fs.writeFileSync(config, JSON.stringify(configuration(folder)));
  const child = fork(verdaccio(), ["--config", config, "--listen", `127.0.0.1:${port}`], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  await until(async () => (await fetch(`${url}/-/ping`).catch(() => undefined))?.ok === true, "the registry answers");
  const npmrc = path.join(folder, "npmrc");
  // Any token: the registry asks nobody who they are, and npm refuses to publish without one.
  fs.writeFileSync(npmrc, `registry=${url}\n//127.0.0.1:${port}/:_authToken=anybody\n`);
  return {
    url,
    publish: (tarball) => {
      // Provenance comes from a CI run that npm's own registry can check.
      execFileSync("npm", ["publish", tarball, "--userconfig", npmrc, "--provenance=false", "--registry", url], {
        cwd: folder,
        stdio: ["ignore", "ignore", "pipe"],
      });
    },
    stop: async () => {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
};
