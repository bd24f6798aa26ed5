/** What `--fix` writes: as little as it can, in the manifest's own manner, once. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { check } from "../../../infra/commands/authoring/check.ts";
import { writeProject } from "../../e2e/project.ts";
import { auditCases, auditOfShop, today } from "./audit-cases.ts";

const manifestOf = (root: string) => fs.readFileSync(path.join(root, "routes/shop.yaml"), "utf8");
const shop = (manifest: string) => writeProject({ "routes/shop.yaml": manifest });
const fixed = (manifest: string) => {
  const root = shop(manifest);
  const outcome = check({ root, fix: true }, today);
  return { text: manifestOf(root), outcome, root };
};

const caller = `api: postern/v1
tier: shop
hosts: [api.acme.example]
upstreams: { orders: { http: https://orders.acme.example } }
filters: [{ rate-limit: { limit: 20/s, by: ip } }]
routes:
  mine:
    match: GET /orders
    filters:
      - jwt: { issuer: https://identity.acme.example, audience: shop, algorithms: [EdDSA], max-age: 1h }
      - headers: { request: { set: { x-customer: "{consumer.id}" }, remove: [authorization] } }
    to: orders
`;

describe("a header that clients could write is removed, where the route", () => {
  const removal = "headers: { request: { remove: [x-customer] } }";
  it.each([
    [
      "has no filters",
      "  terms:\n    match: GET /terms # for all\n    to: orders\n",
      `  terms:\n    match: GET /terms # for all\n    filters: [{ ${removal} }]\n    to: orders\n`,
    ],
    [
      "has a list of lines",
      "  terms:\n    match: GET /terms\n    filters:\n      - rewrite:\n          query: { remove: [debug] } # noise\n\n    # where they lie\n    to: orders\n",
      `  terms:\n    match: GET /terms\n    filters:\n      - rewrite:\n          query: { remove: [debug] } # noise\n      - ${removal}\n\n    # where they lie\n    to: orders\n`,
    ],
    [
      "has a list in brackets",
      "  terms: { match: GET /terms, filters: [ body-limit: 1KiB ], to: orders }\n",
      `  terms: { match: GET /terms, filters: [ body-limit: 1KiB, { ${removal} } ], to: orders }\n`,
    ],
    [
      "is one line",
      "  terms: { match: GET /terms, to: orders }\n",
      `  terms: { match: GET /terms, filters: [{ ${removal} }], to: orders }\n`,
    ],
    [
      "has such a filter already",
      "  terms:\n    match: GET /terms\n    filters:\n    - headers: { request: { remove: [cookie] } }\n    to: orders\n",
      `  terms:\n    match: GET /terms\n    filters:\n    - headers: { request: { remove: [cookie] } }\n    - { ${removal}, id: unspoofed }\n    to: orders\n`,
    ],
    [
      "ends with a text of many lines",
      "  terms:\n    match: GET /terms\n    filters:\n      - respond:\n          text: |\n            soon\n            later\n        when: { header: { x-a: b } }\n      - respond:\n          status: 200\n          text: |\n            soon\n        mode: off\n        id: two\n    to: orders\n",
      `  terms:\n    match: GET /terms\n    filters:\n      - respond:\n          text: |\n            soon\n            later\n        when: { header: { x-a: b } }\n      - respond:\n          status: 200\n          text: |\n            soon\n        mode: off\n        id: two\n      - ${removal}\n    to: orders\n`,
    ],
    [
      "ends with a text that ends it",
      "  terms:\n    match: GET /terms\n    filters:\n      - when: { header: { x-a: b } }\n        respond:\n          text: |\n            soon\n    to: orders\n",
      `  terms:\n    match: GET /terms\n    filters:\n      - when: { header: { x-a: b } }\n        respond:\n          text: |\n            soon\n      - ${removal}\n    to: orders\n`,
    ],
  ])("%s", (_, route, mended) => {
    const { text, outcome } = fixed(caller + route.replaceAll("mode: off", 'mode: "off"'));
    expect(text).toBe(caller + mended.replaceAll("mode: off", 'mode: "off"'));
    expect([outcome.exitCode, outcome.text]).toEqual([
      0,
      expect.stringMatching(
        /^fixed {2}routes\/shop\.yaml:\d+ {2}spoofable-header {2}terms removes x-customer from requests\n/,
      ),
    ]);
  });

  it("is written with the line ends and the mark that the file has", () => {
    const before = `\ufeff${caller}  terms:\n    match: GET /terms\n    to: orders\n`.replaceAll("\n", "\r\n");
    const { text } = fixed(before);
    expect(text).toBe(before.replace("GET /terms\r\n", `GET /terms\r\n    filters: [{ ${removal} }]\r\n`));
  });
});

describe("every fix of a golden case", () => {
  const safe = ["open-on-failure", "spoofable-header", "unused-ignore"];
  const fixable = auditCases().filter(({ rule }) => safe.includes(rule));

  it("is one of those that are safe", () => {
    const changed = auditCases().filter(({ bad }) => auditOfShop(bad).findings.some(({ fix }) => fix));
    expect(changed.map(({ rule }) => rule)).toEqual(safe);
  });

  it.each(fixable)("$rule: is done once, says so, and leaves nothing of it", ({ bad }) => {
    const first = fixed(bad);
    expect(first.outcome).toMatchObject({ exitCode: 0, data: { findings: [], fixed: [{ file: "routes/shop.yaml" }] } });
    const again = check({ root: first.root, fix: true }, today);
    expect(again.data).toMatchObject({ fixed: [] });
    expect(manifestOf(first.root)).toBe(first.text);
  });

  it.each(fixable)("$rule: is shown and not written with --dry-run", ({ bad }) => {
    const root = shop(bad);
    const { text } = check({ root, fix: true, dryRun: true }, today);
    expect(manifestOf(root)).toBe(bad);
    expect(text).toMatch(/^--- a\/routes\/shop\.yaml\n\+\+\+ b\/routes\/shop\.yaml\n@@ /);
    const lines = text.split("\n").filter((it) => /^[+-](?![+-])/.test(it));
    expect(lines.length).toBeLessThanOrEqual(2);
  });
});

it("does not fix an ignored finding", () => {
  const [bad = ""] = auditCases().flatMap((it) => (it.rule === "open-on-failure" ? [it.bad] : []));
  const ignore = "# postern-ignore open-on-failure until 2027-01-01: until the new store is there";
  const kept = bad.replace("# as the old gateway did", ignore);
  expect(fixed(kept).text).toBe(kept);
});

it("several at once, in one file", () => {
  const ignore = "# postern-ignore muted-log until 2027-01-01: nothing that is there\n";
  const before = caller.replace("by: ip }", "by: ip, on-failure: allow }");
  const terms = "  terms: { match: GET /terms, to: orders }\n  news: { match: GET /news, to: orders }\n";
  const { text, outcome } = fixed(ignore + before + terms);
  const route = "filters: [{ headers: { request: { remove: [x-customer] } } }], to: orders }\n";
  expect(text).toBe(
    `${before.replace("allow", "local")}  terms: { match: GET /terms, ${route}  news: { match: GET /news, ${route}`,
  );
  expect(outcome.exitCode).toBe(0);
});
