/** A local cloud in a folder of its own, unmodified wrangler that believes in it, and a client of its edge. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import type { ApiCall } from "../../infra/cloud/api/api.ts";
import { type Cloud, type CloudOptions, startCloud } from "../../infra/cloud/cloud.ts";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { variablesOf } from "../../infra/release/target.ts";

export interface LocalCloud {
  readonly cloud: Cloud;
  /** Empty, and gone with the cloud. */
  readonly folder: string;
  /** Calls of the API. */
  readonly calls: readonly ApiCall[];
  /** What Workers wrote. */
  readonly lines: readonly string[];
  readonly get: (host: string, target?: string, headers?: http.OutgoingHttpHeaders) => Promise<ClientResponse>;
  readonly close: () => Promise<void>;
}

export interface ClientResponse {
  readonly status: number;
  readonly text: string;
}

/** Whoever opens it closes it. */
export const openLocalCloud = async (options: Partial<CloudOptions> = {}): Promise<LocalCloud> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "postern-cloud-"));
  const calls: ApiCall[] = [];
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  const cloud = await startCloud({
    folder: path.join(folder, ".state"),
    edgePort: 0,
    apiPort: 0,
    log,
    report: log,
    onCall: (call) => calls.push(call),
    ...options,
  });
  const agent = new http.Agent({ keepAlive: true });
  return {
    cloud,
    folder,
    calls,
    lines,
    get: createGet(cloud.edge, agent),
    close: async () => {
      agent.destroy();
      await cloud.close();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** The platform's own client cannot send another Host than the URL's. */
const createGet =
  (edge: string, agent: http.Agent): LocalCloud["get"] =>
  (host, target = "/", headers = {}) =>
    new Promise((resolve, reject) => {
      const request = http.request(edge, { agent, path: target, headers: { ...headers, host } }, async (answer) => {
        let text = "";
        for await (const part of answer) text += part;
        resolve({ status: answer.statusCode ?? 0, text });
      });
      request.on("error", reject).end();
    });

/** The calls of one command. */
export interface Transcript {
  readonly command: string;
  readonly calls: string[];
}

export interface CommandResult {
  readonly code: number;
  /** Both streams. */
  readonly output: string;
  readonly stdout: string;
}

export interface RunningCommand extends Promise<CommandResult> {
  readonly output: () => string;
  readonly interrupt: () => void;
}

export interface Wrangler {
  /**
   * Runs a command, written as in a shell without quotes or spaces inside a word.
   * @param words further words, for what holds ids
   */
  readonly run: (folder: string, command: string, words?: readonly string[], input?: string) => RunningCommand;
  /** In the order in which the commands were given. */
  readonly transcripts: readonly Transcript[];
}

/**
 * Stands ahead of the API, so that each command's calls are separate from those of others that run at the same time.
 * @param packageFolder the wrangler, by its folder
 */
export const openWrangler = (
  { cloud, folder }: LocalCloud,
  packageFolder = path.join(codeRoot, "node_modules/wrangler"),
): Wrangler => {
  const transcripts: Transcript[] = [];
  return {
    transcripts,
    run: (cwd, command, words = [], input = "") => {
      const transcript: Transcript = { command: [command, ...words.map(normalizeUrl)].join(" "), calls: [] };
      transcripts.push(transcript);
      let output = "";
      let interrupt = () => {};
      const done = startRecorder(cloud.api, transcript).then(
        (server) =>
          new Promise<CommandResult>((resolve) => {
            const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
            const child = execFile(
              path.join(codeRoot, "node_modules/.bin/node"),
              [path.join(packageFolder, "bin/wrangler.js"), ...command.split(" "), ...words],
              { cwd, env: { ...environment(folder), ...variablesOf(url, cloud.token) } },
              (error, stdout) => {
                server.close();
                server.closeAllConnections();
                resolve({ code: error ? Number(error.code ?? 1) : 0, output, stdout });
              },
            );
            for (const stream of [child.stdout, child.stderr])
              stream?.on("data", (part) => {
                output += part;
              });
            interrupt = () => child.kill("SIGINT");
            child.stdin?.end(input);
          }),
      );
      return Object.assign(done, { output: () => output, interrupt: () => interrupt() });
    },
  };
};

/** Nothing of the person's own settings, and nothing that asks a registry for a newer wrangler. */
const environment = (folder: string): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  // By which a test run finds what it started.
  POSTERN_TEST_RUN: process.env.POSTERN_TEST_RUN,
  HOME: folder,
  CI: "1",
  NO_COLOR: "1",
  WRANGLER_HIDE_BANNER: "true",
});

const startRecorder = async (api: string, { calls }: Transcript): Promise<http.Server> => {
  const server = http.createServer(async (request, response) => {
    // Its place in the transcript is that of its beginning.
    const index = calls.push("") - 1;
    const body = await bytesOf(request);
    const { headers, method = "", url = "/" } = request;
    const forwarded = http.request(api + url, { method, headers: { ...headers, host: new URL(api).host } });
    forwarded.on("response", async (answer) => {
      const text = await bytesOf(answer);
      const { statusCode = 502 } = answer;
      const shape = await shapeOf(body, headers["content-type"]);
      calls[index] = [`${method} ${normalizeUrl(url)} ${statusText(statusCode, text)}`, ...shape].join("\n    ");
      response.writeHead(statusCode, answer.rawHeaders).end(text);
    });
    forwarded.on("error", () => response.destroy());
    forwarded.end(body);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return server;
};

const bytesOf = async (stream: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> => {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
};

/** Without what differs from run to run. */
const normalizeUrl = (url: string): string =>
  url
    .replace(/^\/client\/v4/, "")
    .replace(/^\/accounts\/[0-9a-f]{32}/, "A")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "{uuid}")
    .replaceAll(/[0-9a-f]{32}/g, "{id}");

const statusText = (status: number, body: Uint8Array): string => {
  if (status < 400) return String(status);
  const { errors } = JSON.parse(Buffer.from(body).toString()) as { readonly errors: readonly { code: number }[] };
  return `${status} code ${errors.map(({ code }) => code).join()}`;
};

/** Which keys a body has; for an upload also which bindings, and which parts. */
const shapeOf = async (body: Uint8Array<ArrayBuffer>, type = ""): Promise<string[]> => {
  if (body.length === 0) return [];
  if (/^application\/(?:.*\+)?json/.test(type)) return [keysOf(JSON.parse(Buffer.from(body).toString()))];
  if (!type.startsWith("multipart/")) return [type || "(no type)"];
  const form = await new Response(body, { headers: { "content-type": type } }).formData();
  const parts = [...form].map(([name, part]) => (typeof part === "string" ? name : `${name} (${part.type})`));
  const metadata = form.get("metadata");
  const { bindings, ...others } =
    typeof metadata === "string" ? (JSON.parse(metadata) as { readonly bindings?: readonly object[] }) : {};
  return [
    `parts: ${parts.join(", ")}`,
    ...(Object.keys(others).length > 0 ? [`metadata: ${keysOf(others)}`] : []),
    ...(bindings ?? []).map((it) => `binding: ${(it as { type: string }).type} ${keysOf(it)}`),
  ];
};

const keysOf = (value: unknown): string =>
  Array.isArray(value)
    ? `[${[...new Set(value.map(keysOf))].join(" ")}]`
    : value !== null && typeof value === "object"
      ? `{ ${Object.entries(value)
          .map(([key, it]) => (it !== null && typeof it === "object" ? `${key}: ${keysOf(it)}` : key))
          .toSorted()
          .join(", ")} }`
      : typeof value;
