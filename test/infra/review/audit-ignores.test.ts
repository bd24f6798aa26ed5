/** Comments that ignore a rule: where they hold, for how long, and what is said of those that do not. */
import { describe, expect, it } from "vitest";
import { auditOf, auditOfShop, today } from "./audit-cases.ts";

const shop = (routes: string, above = "") =>
  `api: postern/v1\ntier: shop\nhosts: [api.acme.example]\n${above}upstreams: { orders: { http: https://orders.acme.example } }\nroutes:\n${routes}`;

const open = (comment: string, behind = "") =>
  shop(`  list:\n${comment === "" ? "" : `    ${comment}\n`}    match: GET /orders${behind}\n    to: orders\n`);

const reason = "public by contract, the service itself counts";
const good = `# postern-ignore unlimited-public-route until 2027-06-30: ${reason}`;
const codes = (manifest: string, now = today) => auditOfShop(manifest, now).findings.map(({ code }) => code);

describe("an ignore", () => {
  it("applies to the line below it, and is listed with its reason and date", () => {
    const { findings, ignored } = auditOfShop(open(good));
    expect(findings).toEqual([]);
    expect(ignored).toEqual([
      { finding: expect.objectContaining({ code: "unlimited-public-route", line: 8 }), until: "2027-06-30", reason },
    ]);
  });

  it("applies to its own line if a value precedes it", () => {
    expect(codes(open("", ` ${good}`))).toEqual([]);
  });

  it("holds among others of its kind above one line, and lists several rules", () => {
    const write = "# postern-ignore unauthenticated-write until 2027-06-30: a form that everybody may send";
    expect(codes(open(`${write}\n    ${good}`).replace("GET", "POST"))).toEqual([]);
    const both = good.replace("route until", "route, unauthenticated-write until");
    expect(codes(open(both).replace("GET", "POST"))).toEqual([]);
  });

  it("holds for no other line, no other rule, and nothing beneath", () => {
    const twoAbove = open("").replace("  list:\n", `  ${good}\n  list:\n`);
    expect(codes(twoAbove)).toEqual(["unused-ignore", "unlimited-public-route"]);
    expect(codes(open("", ` ${good}`).replace("GET", "POST"))).toEqual(["unauthenticated-write"]);
  });

  it("holds on its last day, and not on the next", () => {
    expect(codes(open(good), Date.parse("2027-06-30T23:59:59Z"))).toEqual([]);
    expect(codes(open(good), Date.parse("2027-07-01T00:00:00Z"))).toEqual(["expired-ignore", "unlimited-public-route"]);
  });

  it("in a preset is for all tiers that have it, and one that only production needs is used", () => {
    const limit = "  - rate-limit: { limit: 20/s, by: ip, on-failure: allow }";
    const ignore = "# postern-ignore open-on-failure until 2027-01-01: the old store goes in December";
    const preset = `preset: open\nsummary: For all\nfilters:\n${limit} ${ignore}\n`;
    const url = open("")
      .replace("hosts:", "preset: open\nhosts:")
      .replace("https://orders.acme.example", `"$${"{url}"}"`);
    const plain = "# postern-ignore plaintext-upstream until 2027-01-01: through a tunnel of our own";
    const files = {
      "routes/presets/open.yaml": preset,
      "routes/shop.yaml": url.replace("upstreams:", `${plain}\nupstreams:`),
      "routes/bazaar.yaml": url.replace("tier: shop", "tier: bazaar\nbase: /bazaar"),
      "routes/environments/local.yaml": "values: { url: 'http://localhost:80' }\n",
      "routes/environments/production.yaml": "values: { url: 'http://orders.acme.example' }\n",
    };
    expect(auditOf(files).findings).toMatchObject([
      { code: "plaintext-upstream", file: "routes/bazaar.yaml", message: expect.stringMatching(/\(in production\)$/) },
    ]);
  });
});

describe("an ignore that is none", () => {
  it.each([
    ["without a rule", "# postern-ignore until 2027-06-30: because of a contract", "no rule"],
    ["of a rule that is misspelt", good.replace("public-route", "public-rout"), 'no rule "unlimited-public-rout"'],
    ["of a rule in other letters", good.replace("public", "рublic"), "no rule"],
    ["of a rule about ignores", good.replace("unlimited-public-route", "unused-ignore"), "no rule"],
    ["of all rules", good.replace("unlimited-public-route", "*"), "no rule"],
    ["without a day", `# postern-ignore unlimited-public-route: ${reason}`, "no end date"],
    ["until a day that is none", good.replace("2027-06-30", "2027-02-30"), "no end date"],
    ["until for ever", good.replace("2027-06-30", "9999-12-31"), "more than a year ahead"],
    ["without a reason", good.replace(reason, ""), "no reason"],
    ["with a reason of signs only", good.replace(reason, "… !!! ??? ---- ...."), "no reason"],
    ["with a reason that nobody sees", good.replace(reason, "\u200b".repeat(40)), "invisible characters"],
    ["that is read backwards", good.replace(" until", "\u202e until"), "invisible characters"],
    ["that hides behind a carriage return", `# harmless\r${good}`, undefined],
    ["of another spelling", good.replace("postern-ignore", "Postern_Ignore"), "this is not a valid ignore"],
    ["longer than anybody reads", good + "x".repeat(2000), "500 characters"],
  ])("%s", (_, comment, complaint) => {
    const found = auditOfShop(open(comment)).findings;
    expect(found.map(({ code }) => code)).toContain("unlimited-public-route");
    const invalid = found.filter(({ code }) => code === "invalid-ignore");
    expect(invalid.map(({ message }) => message)).toEqual(
      complaint === undefined ? [] : [expect.stringContaining(complaint)],
    );
  });

  it("is a text that only looks like one", () => {
    const summary = `    summary: |\n      # postern-ignore nonsense\n      ${good}\n`;
    expect(codes(open("").replace("  list:\n", `  list:\n${summary}`))).toEqual(["unlimited-public-route"]);
    expect(codes(open("").replace("  list:\n", `  list:\n    summary: "${good}"\n`))).toEqual([
      "unlimited-public-route",
    ]);
  });
});

// The time-out ends what is quadratic; it takes a second or two, and ten on a busy machine.
it("a file of nothing but ignores is read", { timeout: 60_000 }, () => {
  const many = open("").replace("routes:\n", `routes:\n${`  ${good}\n`.repeat(9000)}`);
  expect(Buffer.byteLength(many)).toBeGreaterThan(800_000);
  expect(codes(many)).toHaveLength(9001);
});
