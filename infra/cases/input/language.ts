/** The schema of `routes/<tier>.test.yaml`: what a client sends, what services receive and reply, what the client gets. */
import * as z from "zod";
import { bytes } from "../../../functions/gateway/core/quantities.ts";
import { headerName } from "../../../functions/manifest/names.ts";
import { duration, size } from "../../../functions/manifest/quantities.ts";
import { comparison } from "../../../functions/manifest/when.ts";
import { personaKeys } from "./personas.ts";

const requestLine = () =>
  z
    .string("a method and a path: GET /wallet/v1/accounts/7/balance")
    .regex(/^[A-Z]+ (?:\/|https?:\/\/)\S*$/, "a method and a path: GET /wallet/v1/accounts/7/balance");

const headers = () => z.record(headerName(), z.string("a header's value is a text; put numbers in quotes"));

/** Header expectations, compared as in `when`. */
const headerComparisons = () => z.record(headerName(), comparison());

const bodyKeys = () => ({
  json: z.json().optional().describe("The body, as JSON"),
  text: z.string().optional().describe("The body, as text"),
});

const hasOneBody = ({ json, text }: { json?: unknown; text?: unknown }) => json === undefined || text === undefined;

export const message = () =>
  z
    .strictObject({
      request: requestLine().describe("Method and path; a whole URL if the tier has several hosts"),
      headers: headers().default({}).describe("Headers that the client sends"),
      ...bodyKeys(),
      size: size()
        .refine((text) => bytes(text) <= 32 * 2 ** 20, "32MiB at most")
        .optional()
        .describe("The size of a body whose contents do not matter"),
      stream: z
        .enum(["whole", "unannounced", "broken", "stalled"])
        .default("whole")
        .describe(
          "`unannounced`: a body without a Content-Length; `broken`: the client cuts it off; `stalled`: the client never ends it",
        ),
      repeat: z
        .int("a count is a whole number")
        .min(1)
        .max(10_000, "10000 at most")
        .default(1)
        .describe("How often the request is sent"),
      every: duration().default("0ms").describe("The time between two requests, or between two bursts"),
      burst: z.int("a count is a whole number").min(1).default(1).describe("How many requests are sent at once"),
    })
    .refine(hasOneBody, "give `json` or `text`, not both")
    .refine(
      ({ json, text, size: sizeText }) => sizeText === undefined || (json ?? text) === undefined,
      "give a body or its `size`",
    )
    .refine(
      ({ stream, json, text, size: sizeText }) => stream === "whole" || (json ?? text ?? sizeText) !== undefined,
      {
        error: "`stream` needs a body",
        path: ["stream"],
      },
    );

const requests = () =>
  z.union(
    [
      requestLine(),
      message(),
      z
        .array(z.union([requestLine(), message()], "a request, or { request: …, headers: … }"))
        .min(1)
        .max(100),
    ],
    "a request such as GET /wallet/v1/transfers, { request: …, headers: … }, or a list of them",
  );

export const persona = () =>
  z
    .strictObject({
      name: z.string().min(1).optional().describe("The name of the consumer"),
      share: z
        .string()
        .min(1)
        .optional()
        .describe(
          "In place of a name: an upstream of a weighted route, or of a `cutover`. The case chooses somebody whose requests go there: a consumer, or an address",
        ),
      forged: z.literal(true).optional().describe("Signs with its own key, or presents an unknown one"),
      ...Object.fromEntries(personaKeys().map(({ key, schema }) => [key, schema()])),
    })
    .refine(({ name, share }) => (name === undefined) !== (share === undefined), "give a `name` or a `share`");

const reply = () =>
  z.union(
    [
      z.literal("unreachable"),
      z
        .strictObject({
          status: z
            .int("a status is a whole number")
            .min(101)
            .max(599)
            .default(200)
            .describe("The status of the response"),
          headers: headers().default({}).describe("The headers of the response"),
          ...bodyKeys(),
          after: duration().default("0ms").describe("How long the service takes"),
        })
        .refine(hasOneBody, "give `json` or `text`, not both"),
    ],
    "`unreachable`, or { status: …, json: … }",
  );

export const service = () =>
  z.strictObject({
    sees: z
      .union(
        [
          z.literal("nothing"),
          requestLine(),
          z
            .strictObject({
              request: requestLine().optional().describe("Method, path and query"),
              headers: headerComparisons().default({}).describe("`absent`, `present`, or a value"),
              ...bodyKeys(),
            })
            .refine(hasOneBody, "give `json` or `text`, not both"),
        ],
        "`nothing`, a request such as GET /accounts/7, or { request: …, headers: … }",
      )
      .optional()
      .describe("The request that the service receives; every call must match"),
    replies: z
      .union([reply(), z.array(reply()).min(1).max(20)], "a reply, or a list of them")
      .optional()
      .describe('The reply, or a list with one for each call; by default 200 and `{ "upstream": "<name>" }`'),
    calls: z.int("a count is a whole number").min(1).optional().describe("How often the service is called"),
  });

/** Stores that a case can make unavailable. */
export const failableStores = ["state", "counts", "nonces", "issuers", "consumers", "revocations"] as const;

export const expectation = () =>
  z
    .strictObject({
      status: z.int("a status is a whole number").min(100).max(599).optional().describe("The status of the response"),
      code: z.string().optional().describe("The code of the problem"),
      by: z.string().optional().describe("The filter that refused or answered, or the upstream that failed"),
      route: z.string().optional().describe("The route that took the request"),
      filters: z
        .record(z.string(), z.string())
        .default({})
        .describe(
          "Verdicts by filter: `passed`, `refused`, `answered`, `skipped`, `shadowed`, `failed`, `not reached`",
        ),
      headers: headerComparisons().default({}).describe("The headers of the response: `absent`, `present`, or a value"),
      ...bodyKeys(),
      count: z
        .record(z.string().regex(/^[1-5]\d\d$/, "a status"), z.int("a count is a whole number").min(0))
        .optional()
        .describe("For several requests: how many got which status"),
      snapshot: z.literal(true).optional().describe("The whole conversation equals the stored snapshot"),
    })
    .refine(hasOneBody, "give `json` or `text`, not both");

const expectedOutcome = () => z.union([z.literal("snapshot"), expectation()], "`snapshot`, or { status: …, code: … }");

/** The name of an upstream, or the id of a mirror filter: `mirror`, `transfer/mirror`. */
const serviceName = () =>
  z.string().regex(/^[a-z][a-z0-9-]*(?:\/[a-z][a-z0-9-]*)?$/, "the name of an upstream, or a filter's id");

const stepKeys = () => ({
  as: z
    .union([z.string().min(1), persona()], "a consumer's name, { name: …, token: … }, or { share: … }")
    .optional()
    .describe("Who sends the request, with the valid token, key or signature that the route requires"),
  from: z
    .union([z.ipv4(), z.ipv6()], "an address: 192.0.2.1")
    .optional()
    .describe("The client's address; by default 192.0.2.1"),
  send: requests().describe("What the client sends: one request, or several that must all have the same outcome"),
  upstream: z
    .record(serviceName(), service())
    .optional()
    .describe("The services that must be called, and no others; the service of a `mirror` is named by the filter's id"),
  down: z
    .array(z.enum(failableStores))
    .default([])
    .describe("What is unavailable meanwhile: `state`, or only its `counts` or `nonces`; `issuers`; a KV namespace"),
  expect: expectedOutcome().describe("What the client gets"),
});

const followUp = () =>
  z.strictObject({
    after: duration().default("0ms").describe("The time since the previous step"),
    ...stepKeys(),
  });

export const testCase = () =>
  z.strictObject({
    it: z.string().min(1).max(200, "a sentence, not a story").describe("What is true, as a sentence: `refuses …`"),
    at: z.iso
      .datetime({ error: "a moment in UTC: 2026-11-01T09:30:00Z" })
      .optional()
      .describe("When the case begins; by default 2026-11-01T00:00:00Z"),
    ...stepKeys(),
    // biome-ignore lint/suspicious/noThenProperty: a key of the language; a schema is never awaited
    then: z
      .union([followUp(), z.array(followUp()).min(1).max(50)], "a step, or a list of them")
      .optional()
      .describe("What is sent next, by the same client unless the step says otherwise"),
  });

/** Maximum number of cases of a tier. */
export const maxCases = 5000;

/** `routes/<tier>.test.yaml`. */
export const caseFile = () =>
  z.array(testCase(), "a list of cases: `- it: …`").max(maxCases, `${maxCases} cases at most`);

export type CaseConfig = z.output<ReturnType<typeof testCase>>;
export type StepConfig = z.output<ReturnType<typeof followUp>>;
export type Message = z.output<ReturnType<typeof message>>;
export type Reply = z.output<ReturnType<typeof reply>>;
export type ExpectedResponse = Exclude<StepConfig["expect"], string>;
export type Comparison = z.output<ReturnType<typeof comparison>>;
export type ExpectedServices = NonNullable<StepConfig["upstream"]>;
