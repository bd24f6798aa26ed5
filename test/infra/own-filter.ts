/** A project with a filter and an upstream of its own, in TypeScript, and a tier that uses neither. */
import type { Files } from "../e2e/project.ts";
import { manifest } from "../e2e/project.ts";

/** Refuses countries; imports a module of the project, the schema library, and Postern. */
export const geoFence = `/** Refuses requests from countries that are not listed. */
import * as z from "zod";
import { type Codes, type Config, defineFilter, type Guard, refuse } from "postern/filter";
import { countryOf } from "../shared/country.ts";

const codes = { "country-refused": { status: 403, title: "Country refused" } } as const satisfies Codes;

export const spec = () =>
  defineFilter({
    kind: "guard",
    phase: "admission",
    schema: z.strictObject({
      allow: z.array(z.string().length(2)).min(1).describe("Countries whose requests are let in"),
      unknown: z.enum(["refuse", "allow"]).default("refuse").describe("What happens to a request without a country"),
    }),
    example: { allow: ["CH", "IS"] },
    codes,
    keysOfCode: { "country-refused": ["allow"] },
    scales: { allow: { allows: "items", absent: "nothing" }, unknown: { weakestFirst: ["allow", "refuse"] } },
    audit: [
      {
        id: "unknown-country",
        severity: "low",
        summary: "Requests without a country are let in.",
        incident: "A proxy in front of the gateway removed the header, and everybody was let in.",
        remedy: "Write \`unknown: refuse\`.",
        check: ({ unknown }) =>
          unknown === "allow" ? [{ at: ["unknown"], message: "everybody without a country is let in", remedy: "refuse" }] : [],
      },
    ],
    examples: { "country-refused": { filters: "- geo-fence:\\n    allow: [CH] #!\\n" } },
  });

export const make = ({ allow, unknown }: Config<typeof spec>): Guard => {
  const allowed: ReadonlySet<string> = new Set(allow);
  return (request, context) => {
    const country = countryOf(request);
    const isLetIn = country === undefined ? unknown === "allow" : allowed.has(country);
    return isLetIn ? undefined : refuse(context, codes, "country-refused");
  };
};
`;

const country = `export const countryOf = (request: Request): string | undefined => request.headers.get("x-country") ?? undefined;
`;

/** Calls a service at a path of its own. */
export const legacy = `/** Calls the old backend, all requests of which go to one path. */
import * as z from "zod";
import { type Config, defineUpstream, type Deps, type Handler, send, targetOf, upstreamCodes } from "postern/filter";

export const spec = () =>
  defineUpstream({
    kind: "upstream",
    schema: z.strictObject({ url: z.url().describe("Base URL of the backend") }),
    short: "url",
    example: { url: "https://old.acme.example" },
    codes: upstreamCodes,
  });

export const make = ({ url }: Config<typeof spec>, deps: Deps): Handler => {
  const base = url.replace(/\\/$/, "") + "/dispatch?to=";
  return (request, context) => send(base + encodeURIComponent(targetOf(context)), request, context, deps.fetch);
};
`;

/** @param service that both tiers call */
export const ownParts = (service: string): Files => ({
  "functions/filters/geo-fence.ts": geoFence,
  "functions/shared/country.ts": country,
  "functions/upstreams/legacy.ts": legacy,
  "routes/fenced.yaml": manifest(
    "fenced",
    `filters: [{ geo-fence: { allow: [CH] } }, { rate-limit: { limit: 20/s, by: ip } }]
upstreams: { old: { legacy: "${service}" } }
routes: { all: { match: "GET /things/{id}", to: old } }
`,
  ),
  "routes/plain.yaml": manifest(
    "plain",
    `filters: [{ rate-limit: { limit: 20/s, by: ip } }]
upstreams: { it: { http: "${service}" } }
routes:
  all: { match: GET /x, to: it }
`,
  ),
});
