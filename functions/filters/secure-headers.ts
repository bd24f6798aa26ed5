/** Sets security headers of responses and removes `X-Powered-By`: Hono's `secureHeaders`. */
import { secureHeaders } from "hono/secure-headers";
import * as z from "zod";
import type { Deps, FilterInstance, Layer } from "../gateway/core/types.ts";
import { fromHono } from "../gateway/hono-adapter.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { rules } from "./secure-headers/audit.ts";

const header = (standard: string | false) =>
  z
    .union(
      [z.literal(false), z.string().regex(/^[\x20-\x7e]{1,1000}$/, "a header's value is one line of ASCII")],
      "a value, or false for none",
    )
    .default(standard);

const directive = () => z.string().regex(/^[a-z]+(?:-[a-z]+)*$/, "a name in lower case with hyphens: default-src");
/** No separator of directives, so that a word cannot begin another directive. */
const word = () =>
  z.string().regex(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]{1,200}$/, "one word without a comma, semicolon or quote");

export const spec = () =>
  defineFilter({
    kind: "layer",
    phase: "content",
    schema: z.strictObject({
      "content-security-policy": z
        .record(directive(), z.array(word()).max(50))
        .default({})
        .describe("What a page may load: directives and their sources; none by default"),
      "permissions-policy": z
        .record(directive(), z.union([z.boolean(), z.array(word()).min(1).max(50)], "true, false or a list of origins"))
        .default({})
        .describe("What a page may use: features, and whether or for which origins; none by default"),
      "strict-transport-security": header("max-age=15552000; includeSubDomains").describe(
        "Browsers use https from now on",
      ),
      "x-content-type-options": header("nosniff").describe("Browsers do not guess types"),
      "x-frame-options": header("SAMEORIGIN").describe("Who may embed the page in a frame"),
      "referrer-policy": header("no-referrer").describe("Which referrer the next page gets"),
      "cross-origin-resource-policy": header("same-origin").describe("Who may embed the response"),
      "cross-origin-opener-policy": header("same-origin").describe("Which pages share a browsing context group"),
      "cross-origin-embedder-policy": header(false).describe("What the page may embed"),
      "origin-agent-cluster": header("?1").describe("A separate process from other hosts of the site"),
      "x-dns-prefetch-control": header("off").describe("Host names of links are not resolved ahead"),
      "x-download-options": header("noopen").describe("Old browsers do not open downloads in place"),
      "x-permitted-cross-domain-policies": header("none").describe("Old plug-ins read no data from here"),
      "x-xss-protection": header("0").describe("Disables the filter of old browsers, which did harm"),
    }),
    example: {
      "x-frame-options": "DENY",
      "cross-origin-resource-policy": false,
      "content-security-policy": { "default-src": ["'none'"], "frame-ancestors": ["'none'"] },
      "permissions-policy": { camera: false },
    },
    codes: {},
    scales: {
      "strict-transport-security": "false-is-weaker",
      "x-content-type-options": "false-is-weaker",
      "x-frame-options": "false-is-weaker",
      "referrer-policy": "false-is-weaker",
      "cross-origin-resource-policy": "false-is-weaker",
      "cross-origin-opener-policy": "false-is-weaker",
      "cross-origin-embedder-policy": "false-is-weaker",
      "origin-agent-cluster": "false-is-weaker",
      "x-download-options": "false-is-weaker",
      "x-permitted-cross-domain-policies": "false-is-weaker",
    },
    audit: rules,
  });

export const make = (config: Config<typeof spec>, _: Deps, { id }: FilterInstance): Layer =>
  fromHono(
    secureHeaders({
      ...policies(config),
      strictTransportSecurity: config["strict-transport-security"],
      xContentTypeOptions: config["x-content-type-options"],
      xFrameOptions: config["x-frame-options"],
      referrerPolicy: config["referrer-policy"],
      crossOriginResourcePolicy: config["cross-origin-resource-policy"],
      crossOriginOpenerPolicy: config["cross-origin-opener-policy"],
      crossOriginEmbedderPolicy: config["cross-origin-embedder-policy"],
      originAgentCluster: config["origin-agent-cluster"],
      xDnsPrefetchControl: config["x-dns-prefetch-control"],
      xDownloadOptions: config["x-download-options"],
      xPermittedCrossDomainPolicies: config["x-permitted-cross-domain-policies"],
      xXssProtection: config["x-xss-protection"],
    }),
    id,
  );

/** Hono takes names with hyphens unchanged. */
const policies = ({
  "content-security-policy": content,
  "permissions-policy": permissions,
}: Config<typeof spec>): Parameters<typeof secureHeaders>[0] => ({
  ...(Object.keys(content).length > 0 && { contentSecurityPolicy: content }),
  permissionsPolicy: permissions,
});
