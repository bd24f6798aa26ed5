/** The page of reference: whole, without a network, and no text of a manifest runs in it. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { exportSite } from "../../../infra/commands/review/export.ts";
import { renderSite } from "../../../infra/review/export/site.ts";
import { bank } from "../../fixtures/bank.ts";

const embedded = (page: string): unknown =>
  JSON.parse(/<script type="application\/json" id="document">(.*?)<\/script>/s.exec(page)?.[1] ?? "");

it("writes the page and the document as separate files, and embeds the document", () => {
  const out = fs.mkdtempSync(path.join(os.tmpdir(), "postern-site-"));
  onTestFinished(() => fs.rmSync(out, { recursive: true }));
  const { exitCode, text } = exportSite([], { root: bank, env: "production", out });
  expect([exitCode, text]).toEqual([0, `wrote ${out}/index.html: 11 operations of 3 tiers\n`]);
  const page = fs.readFileSync(path.join(out, "index.html"), "utf8");
  expect(embedded(page)).toEqual(JSON.parse(fs.readFileSync(path.join(out, "openapi.json"), "utf8")));
  const loaded = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, file = ""]) => file);
  expect(loaded).toEqual(["swagger-ui.css", "swagger-ui-bundle.js", "openapi.json"]);
  for (const file of loaded) expect(fs.statSync(path.join(out, file)).size).toBeGreaterThan(1000);
});

it("shows text that looks like a script as text", () => {
  const document = { info: { description: "</script><script>alert(1)</script>" } };
  const page = renderSite(document)["index.html"] ?? "";
  expect(page).not.toContain("alert(1)</script>");
  expect(embedded(page)).toEqual(document);
});
