/** Runs a client over the list of requests, as a program or by its command line. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Client, ClientCase } from "./requests.ts";

export interface ClientResponse {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export type ClientResults = ReadonlyMap<string, ClientResponse | { readonly failed: string }>;

/** @param base of the requests' targets */
export const runClient = (client: Client, cases: readonly ClientCase[], base: string): Promise<ClientResults> => {
  const here = (file: string) => path.join(import.meta.dirname, file);
  if (client === "java") return program("java", [here("Client.java")], cases, base);
  if (client === "urllib") return program("python3", [here("client.py")], cases, base);
  if (client === "node") return program(process.execPath, [here("client.mjs")], cases, base);
  return inFolder((folder) => (client === "curl" ? curl(cases, base, folder) : wget(cases, base, folder)));
};

/** Time limit of a client for the whole list, its start included. */
const maxMs = 120_000;

const output = (command: string, args: readonly string[], input = ""): Promise<{ code: number; text: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: maxMs,
      env: environmentWithoutProxies,
    });
    let text = "";
    let complaint = "";
    child.stdout.setEncoding("utf8").on("data", (part) => {
      text += part;
    });
    child.stderr.setEncoding("utf8").on("data", (part) => {
      complaint += part;
    });
    child.on("error", (error) => reject(new Error(`${command} is not here: ${error.message}`)));
    child.on("close", (code) => resolve({ code: code ?? -1, text: text || complaint }));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });

/** No proxy stands between a client and this machine. */
const environmentWithoutProxies = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name)),
);

const program = async (command: string, args: readonly string[], cases: readonly ClientCase[], base: string) => {
  const lines = cases.map(({ id, method, target, headers = {}, body, expects, gzip }) =>
    [
      id,
      method,
      base + target,
      encoded(linesOf({ ...headers, "x-case": id })),
      kindOf(body),
      encoded(textOf(body)),
      [expects && "expects", gzip && "gzip"].filter(Boolean).join(","),
    ].join("\t"),
  );
  const { code, text } = await output(command, args, `${lines.join("\n")}\n`);
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${text}`);
  return new Map(
    text
      .trim()
      .split("\n")
      .map((line) => {
        const [id = "", status = "", head = "", body = ""] = line.split("\t");
        return [id, status === "failed" ? { failed: decoded(head) } : answerOf(status, decoded(head), decoded(body))];
      }),
  );
};

/** One process for all of the list, so that it can keep its connection. */
const curl = async (cases: readonly ClientCase[], base: string, folder: string): Promise<ClientResults> => {
  const args = cases.flatMap(({ id, method, target, headers = {}, body, expects, gzip }, index) => [
    ...(index === 0 ? [] : ["--next"]),
    ...["--silent", "--show-error", "--http2", "--max-time", "20"],
    // With --head, curl puts the head where the body would be.
    ...["--dump-header", path.join(folder, `${id}.head`)],
    ...["--output", method === "HEAD" ? os.devNull : path.join(folder, `${id}.body`)],
    ...Object.entries({ ...headers, "x-case": id }).flatMap(([name, value]) => ["--header", `${name}: ${value}`]),
    ...(method === "HEAD" ? ["--head"] : ["--request", method]),
    ...(body === "none" || body === "bare" ? [] : ["--data-binary", textOf(body)]),
    ...(kindOf(body) === "chunked" ? ["--header", "transfer-encoding: chunked"] : []),
    ...(expects ? ["--header", "expect: 100-continue"] : []),
    ...(gzip ? ["--compressed"] : []),
    base + target,
  ]);
  const { code, text } = await output("curl", args);
  return readResponses(cases, folder, code === 0 ? "" : text);
};

const wget = async (cases: readonly ClientCase[], base: string, folder: string): Promise<ClientResults> => {
  for (const { id, method, target, headers = {}, body, expects, gzip } of cases) {
    const { text } = await output("wget", [
      ...[
        "--no-config",
        "--tries=1",
        "--timeout=20",
        "--max-redirect=0",
        "--content-on-error",
        "--server-response",
        "--no-verbose",
      ],
      ...[`--method=${method}`, `--output-document=${path.join(folder, `${id}.body`)}`],
      ...Object.entries({ ...headers, "x-case": id }).map(([name, value]) => `--header=${name}: ${value}`),
      ...(body === "none" || body === "bare" ? [] : [`--body-data=${textOf(body)}`]),
      ...(expects ? ["--header=expect: 100-continue"] : []),
      ...(gzip ? ["--compression=gzip"] : []),
      base + target,
    ]);
    fs.writeFileSync(path.join(folder, `${id}.head`), text.replaceAll(/^ {2}/gm, ""));
  }
  return readResponses(cases, folder, "");
};

/** Of several heads, the last one is the answer's: 100 (Continue) comes ahead of it. */
const readResponses = (cases: readonly ClientCase[], folder: string, complaint: string): ClientResults =>
  new Map(
    cases.map(({ id }) => {
      const read = (end: string) => {
        const file = path.join(folder, `${id}.${end}`);
        return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
      };
      const [, status, head = ""] = /HTTP\/[\d.]+ (\d{3})((?:(?!HTTP\/)[\s\S])*)$/.exec(read("head")) ?? [];
      return [id, status === undefined ? { failed: complaint || read("head") } : answerOf(status, head, read("body"))];
    }),
  );

const inFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "postern-"));
  try {
    return await work(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
};

const answerOf = (status: string, head: string, body: string): ClientResponse => ({
  status: Number(status),
  headers: new Map(
    head.split(/\r?\n/).flatMap((line) => {
      const [, name, value] = /^([\w-]+): ?(.*)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value] as const];
    }),
  ),
  body,
});

const kindOf = (body: ClientCase["body"]): string =>
  typeof body === "string" ? body : (Object.keys(body)[0] as string);
const textOf = (body: ClientCase["body"]): string =>
  typeof body === "string" ? "" : (Object.values(body)[0] as string);
const linesOf = (headers: Readonly<Record<string, string>>): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("");
const encoded = (text: string): string => Buffer.from(text).toString("base64");
const decoded = (text: string): string => Buffer.from(text, "base64").toString();
