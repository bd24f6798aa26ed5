/** `postern ci`: what its comment says, and when it fails. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ci } from "../../../infra/commands/review/ci.ts";
import { manifest } from "../../e2e/project.ts";
import { repository } from "./repository.ts";

const limit = "filters: [{ rate-limit: { limit: 20/s, by: ip } }]\n";
const tier = (lines: string, match = "GET /a") =>
  manifest(
    "t",
    `${lines}upstreams: { it: { http: "https://it.example" } }\nroutes:\n  a: { match: "${match}", to: it }\n`,
  );

const owners =
  "# postern: begin. Written by `npx postern repo` from the manifests' owners; edits between these lines are lost.\n# postern: end\n";

/** A repository whose last commit has nothing to complain of, with a schema line so that `repo --check` holds. */
const start = (more: Readonly<Record<string, string>> = {}) => {
  const line = "# yaml-language-server: $schema=./manifest.schema.json\n";
  const it = repository({ "routes/t.yaml": line + tier(limit), ".github/CODEOWNERS": owners, ...more });
  const run = async (text: string, options: Omit<Parameters<typeof ci>[1], "root"> = {}) => {
    it.write("routes/t.yaml", line + text);
    const comment = path.join(it.root, "comment.md");
    const { exitCode, data } = await ci("HEAD", { root: it.root, comment, ...options });
    const codes = Object.values(data as Record<string, { exitCode: number }>).map((stage) => stage.exitCode);
    return { exitCode, codes, comment: fs.readFileSync(comment, "utf8") };
  };
  return { ...it, run };
};

const lastLine = (comment: string) => comment.trimEnd().split("\n").at(-1);
const end = "run it yourself: `npx postern ci <base>`";

describe("what fails, by --fail-on", () => {
  /** A high finding (anybody may call, as often as they like), and a change of risk high. */
  const open = tier("");
  /** A medium finding and a change of risk medium. */
  const hedged = tier(limit.replace("20/s, by: ip", "40/s, by: ip, on-failure: allow"));
  it.each([
    [open, undefined, 5, [5, 0, 0, 0]],
    [open, "high", 5, [5, 0, 0, 5]],
    [open, "never", 0, [0, 0, 0, 0]],
    [hedged, undefined, 0, [0, 0, 0, 0]],
    [hedged, "high", 0, [0, 0, 0, 0]],
    [hedged, "medium", 5, [5, 0, 0, 5]],
    [hedged, "low", 5, [5, 0, 0, 5]],
    [tier(limit), "low", 0, [0, 0, 0, 0]],
  ] as const)("case %#", async (text, failOn, exitCode, codes) => {
    expect(await start().run(text, { failOn })).toMatchObject({ exitCode, codes });
  });
});

describe("the comment", () => {
  it("lists the findings that fail, and counts the others", async () => {
    const { comment } = await start().run(tier("", "POST /a"));
    expect(comment).toContain(
      "**Audit findings**\n\n- **high** `routes/t.yaml:8` `unauthenticated-write`: `anybody may POST on a: no filter identifies the caller` – `` add jwt, api-key or signature, or ip with `allow` ``\n",
    );
    expect(comment).toMatch(/- \*\*high\*\* `routes\/t\.yaml:8` `unlimited-public-route`: /);
    expect(lastLine(comment)).toBe(`❌ \`check\` · ✅ \`repo\` · ✅ \`test\` · ✅ \`diff\` · ${end}`);
    const never = await start().run(tier("", "POST /a"), { failOn: "never" });
    expect(never.comment).not.toContain("Audit findings");
    expect(lastLine(never.comment)).toBe(
      `✅ \`check\` (2 high more) · ✅ \`repo\` · ✅ \`test\` · ✅ \`diff\` · ${end}`,
    );
  });
  it("says that a change is too risky", async () => {
    const { comment } = await start().run(tier(limit.replace("20/s", "40/s")), { failOn: "medium" });
    expect(comment).toContain("**Other problems**\n\n- `the change is of risk medium, and --fail-on says medium`\n");
    expect(lastLine(comment)).toContain("❌ `diff`");
  });
  it("lists a problem once, and the stages that it blocks", async () => {
    const { comment, exitCode } = await start().run(`${tier(limit)}oops: 1\n`);
    expect(exitCode).toBe(1);
    expect(comment.match(/unknown-key/g)?.length).toBe(1);
    expect(lastLine(comment)).toBe(`❌ \`check\` · ➖ \`repo\` · ➖ \`test\` · ➖ \`diff\` · ${end}`);
  });
  it("lists a problem that the diff has none of: in an environment that is new", async () => {
    const { run, write } = start();
    write("routes/environments/new.yaml", "values: {}\noops: 1\n");
    const { comment } = await run(tier(limit));
    expect(comment).toContain("**Problems**\n\n- `routes/environments/new.yaml:2` `unknown-key`: ");
  });
  it("lists stale files and branches without a case", async () => {
    const { run, write } = start({ ".github/CODEOWNERS": owners.replace("lost.\n", "lost.\n/routes/old.yaml @x\n") });
    write("routes/t.test.yaml", "- { it: serves a, send: GET /t/a, expect: { status: 200 } }\n");
    const { comment, codes } = await run(tier(limit), { failUnder: "100" });
    expect(codes).toEqual([0, 1, 1, 0]);
    expect(comment).toMatch(
      /\*\*Other problems\*\*\n\n- `.*CODEOWNERS {2}does not match .*`\n- `the cases try [\d.]+ % of the policy, and --fail-under asks for 100 %`\n/,
    );
  });
  it("has as much as GitHub takes, whatever a repository brings", async () => {
    const { run } = start();
    const routes = Array.from({ length: 900 }, (_, n) => `  r${n}: { match: POST /${"x".repeat(150)}${n}, to: it }\n`);
    const { comment } = await run(tier("") + routes.join(""));
    expect(comment.length).toBeLessThan(65_536);
    expect(comment).toContain("lines more in the log");
    expect(lastLine(comment)).toContain(end);
  });
});
