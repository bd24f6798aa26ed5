/** What the dev loop prints when it is ready. */
import { expect, it } from "vitest";
import { compile } from "../../infra/compiler/compile.ts";
import { welcome } from "../../infra/dev/welcome.ts";
import { manifest, writeProject } from "../e2e/project.ts";

it("lists twenty routes and says how many more there are, so that what to paste stays in sight", () => {
  const routes = Array.from({ length: 23 }, (_, index) => `  r${index}: { match: GET /r${index}, to: it }\n`).join("");
  const root = writeProject({
    "routes/t.yaml": manifest("t", `upstreams: { it: { http: "https://it.example" } }\nroutes:\n${routes}`),
  });
  const text = welcome(compile(root, "local"), "http://localhost:8787", 1234);
  expect(text).toContain("ready in 1.2 s");
  expect(text.match(/^t\/r\d+ /gm)).toHaveLength(20);
  expect(text).toContain("3 more: npx postern routes --env local\n");
});
