/** A session with the YAML language server, which most editors run: it completes, explains and flags by the schemas that are checked in. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createMessageConnection,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import { codeRoot } from "../../infra/project/generated-files.ts";
import { bank } from "../fixtures/bank.ts";
import { until } from "../until.ts";

const server = path.join(codeRoot, "node_modules/yaml-language-server/bin/yaml-language-server");
const settings = { validate: true, hover: true, completion: true, schemaStore: { enable: false } };

interface Diagnostic {
  readonly message: string;
  readonly range: { readonly start: { readonly line: number; readonly character: number } };
}

let connection: MessageConnection;
let child: ReturnType<typeof spawn>;
const diagnostics = new Map<string, readonly Diagnostic[]>();

beforeAll(async () => {
  child = spawn(process.execPath, [server, "--stdio"], { stdio: ["pipe", "pipe", "ignore"] });
  if (!child.stdin || !child.stdout) throw new Error("the server has no pipes");
  connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  connection.onRequest("workspace/configuration", ({ items }: { items: readonly { section: string }[] }) =>
    items.map(({ section }) => (section === "yaml" ? settings : {})),
  );
  connection.onRequest("client/registerCapability", () => null);
  connection.onNotification("textDocument/publishDiagnostics", (it: { uri: string; diagnostics: Diagnostic[] }) => {
    diagnostics.set(it.uri, it.diagnostics);
  });
  connection.listen();
  const rootUri = pathToFileURL(codeRoot).href;
  await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri,
    workspaceFolders: [{ uri: rootUri, name: "postern" }],
    capabilities: {
      workspace: { configuration: true },
      textDocument: {
        completion: { completionItem: { snippetSupport: false } },
        hover: { contentFormat: ["markdown"] },
      },
    },
  });
  await connection.sendNotification("initialized", {});
  await connection.sendNotification("workspace/didChangeConfiguration", { settings: { yaml: settings } });
});

afterAll(async () => {
  await connection.sendRequest("shutdown");
  await connection.sendNotification("exit");
  connection.dispose();
  child.kill();
});

let documents = 0;

/** Requests and the server's answers. A person reads the file when it changes. */
const session: string[] = [];
const golden = path.join(codeRoot, "test/golden/editor-session.txt");
const record = (title: string, text: string, answer: readonly string[]) =>
  void session.push(`-- ${title}\n${text.trimEnd()}\n-- answer\n${answer.join("\n")}\n`);

/** Opens a file as an editor would; `|` is the cursor. What begins with a dash is a list of cases, all else a manifest. */
const opened = async (text: string) => {
  const schema = text.startsWith("- ") ? "cases" : "manifest";
  const whole = `# yaml-language-server: $schema=./${schema}.schema.json\n${text}`;
  const at = whole.indexOf("|");
  const before = (at < 0 ? "" : whole.slice(0, at)).split("\n");
  const uri = pathToFileURL(path.join(codeRoot, `routes/session-${documents++}.yaml`)).href;
  await connection.sendNotification("textDocument/didOpen", {
    textDocument: { uri, languageId: "yaml", version: 1, text: whole.replace("|", "") },
  });
  const position = { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
  return { uri, params: { textDocument: { uri }, position } };
};

const completed = async (text: string): Promise<string[]> => {
  const { params } = await opened(text);
  const list = await connection.sendRequest<{ items: { label: string }[] }>("textDocument/completion", params);
  const labels = list.items.map(({ label }) => label);
  record("complete at |", text, labels.toSorted());
  return labels;
};

const hovered = async (text: string): Promise<string> => {
  const { params } = await opened(text);
  const hover = await connection.sendRequest<{ contents: { value: string } } | null>("textDocument/hover", params);
  const said = hover?.contents.value ?? "";
  record("hover at |", text, said.trim().replaceAll(pathToFileURL(codeRoot).href, "file://…").split("\n"));
  return said;
};

const flagged = async (text: string): Promise<string[]> => {
  const { uri } = await opened(text);
  await until(() => diagnostics.has(uri), "the server flags a document");
  const said = (diagnostics.get(uri) ?? []).map(
    ({ message, range }) => `${range.start.line}:${range.start.character} ${message}`,
  );
  if (said.length > 0) record("flag (the first line is the modeline)", text, said.toSorted());
  return said;
};

const head = "api: postern/v1\ntier: wallet\nhosts: [api.acme.example]\n";

describe("completes", () => {
  it("keys of a manifest", async () => {
    expect(await completed(`${head}|`)).toEqual(
      expect.arrayContaining(["base", "filters", "isolation", "release", "upstreams"]),
    );
  });
  it("filters, and their keys", async () => {
    expect(await completed(`${head}filters:\n  - |`)).toEqual(
      expect.arrayContaining(["cors", "jwt", "timeout", "when"]),
    );
    expect(await completed(`${head}filters:\n  - jwt:\n      |`)).toEqual(
      expect.arrayContaining(["issuer", "audience", "algorithms", "leeway"]),
    );
  });
  it("values that are few", async () => {
    expect(await completed(`${head}level: |`)).toEqual(expect.arrayContaining(["core", "standard", "best-effort"]));
    expect(await completed(`${head}filters:\n  - jwt:\n      algorithms:\n        - |`)).toEqual(
      expect.arrayContaining(["RS256", "EdDSA"]),
    );
  });
  it("keys of a route, of its conditions and of its filters", async () => {
    expect(await completed(`${head}routes:\n  one:\n    |`)).toEqual(
      expect.arrayContaining(["match", "to", "respond", "redirect", "deprecated", "without"]),
    );
    expect(await completed(`${head}routes:\n  one:\n    when:\n      |`)).toEqual(
      expect.arrayContaining(["header", "query", "cookie", "content-type"]),
    );
    expect(await completed(`${head}routes:\n  one:\n    filters:\n      - |`)).toContain("body-limit");
  });
  it("keys of a case, and of what it sends and expects", async () => {
    expect(await completed("- it: refuses\n  |")).toEqual(expect.arrayContaining(["as", "send", "upstream", "expect"]));
    expect(await completed("- it: refuses\n  expect:\n    |")).toEqual(
      expect.arrayContaining(["status", "code", "by", "route"]),
    );
  });
  it("protocols of upstreams", async () => {
    expect(await completed(`${head}upstreams:\n  it:\n    |`)).toEqual(
      expect.arrayContaining(["http", "worker", "timeout"]),
    );
  });
});

describe("explains", () => {
  it.each([
    ["a key", `${head}ba|se: /x\n`, "Put before every match"],
    ["a filter", `${head}filters:\n  - jw|t: { issuer: a }\n`, "Authenticates callers by a bearer token"],
    ["a filter's key", `${head}filters:\n  - jwt: { lee|way: 5s }\n`, "Tolerated clock skew"],
    ["a case's key", "- it: refuses\n  do|wn: [state]\n", "What is unavailable meanwhile"],
    ["a route's key", `${head}routes:\n  one:\n    with|out: []\n`, "this route drops"],
  ])("%s", async (_, text, said) => {
    expect(await hovered(text)).toContain(said);
  });
});

describe("flags", () => {
  it("what the compiler would refuse, at its place", async () => {
    const said = await flagged(
      `${head}lables: {}\nlevel: critical\nfilters:\n  - jwt: { issuer: a, audience: b, algoritms: [] }\nroutes:\n  one: { match: GET /, to: it, timeout: 5 }\n`,
    );
    expect(said.map((it) => it.split(" ")[0])).toEqual(expect.arrayContaining(["4:0", "5:7", "7:35", "9:31"]));
  });
  it("nothing in the examples, variables included", async () => {
    for (const tier of ["wallet.test", "pay.test", "open.test"]) {
      const [, ...cases] = fs.readFileSync(path.join(bank, `routes/${tier}.yaml`), "utf8").split("\n");
      expect(await flagged(cases.join("\n"))).toEqual([]);
    }
    const line = "# yaml-language-server: $schema=./manifest.schema.json";
    for (const tier of ["wallet", "pay", "open"]) {
      const text = fs.readFileSync(path.join(bank, `routes/${tier}.yaml`), "utf8");
      expect(await flagged(text.replace(/^#.*/, line))).toEqual([]);
    }
    expect(await flagged(fs.readFileSync(path.join(codeRoot, "test/golden/plans/wallet.yaml"), "utf8"))).toEqual([]);
  });
});

it("the session is the recorded one", () => {
  const said = session.join("\n");
  if (process.env.UPDATE_GOLDEN === "1" && !process.env.CI) fs.writeFileSync(golden, said);
  expect(said).toBe(fs.readFileSync(golden, "utf8"));
});
