/** Requests that are signed with the shop's key (RFC 9421) over odd parameters and components: the numbers in them are judged, too. */
import { createHash, createHmac, randomUUID } from "node:crypto";
import fc from "fast-check";
import { each } from "../announced-property.ts";
import { signingKey } from "../gateway.ts";
import { oneOf } from "../pieces.ts";
import type { Target } from "../target.ts";
import { sendAndCheck, type Wire } from "../wire.ts";

const usual = ["@method", "@authority", "@path", "@query", "content-type"];

const seconds = fc.oneof(
  fc.integer({ min: -400, max: 400 }).map((it) => Math.floor(Date.now() / 1000) + it),
  oneOf(0, -1, 1, 999_999_999_999_999, -999_999_999_999_999, 8_640_000_000_000, 253_402_300_800, 2 ** 31, 2 ** 53),
);

const request = fc.record({
  method: oneOf("GET", "POST"),
  path: oneOf("/f/signed/a", "/f/signed/%41", "/f/signed/a%20b", "/f/signed/"),
  query: oneOf("", "?", "?a=1&a=2", "?%C3%A9", "?a b".replace(" ", "+")),
  components: fc.oneof(
    { weight: 3, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.shuffledSubarray(usual) },
  ),
  more: fc.subarray(["content-digest", "x-a", "content-length"]),
  created: seconds,
  expires: fc.option(seconds),
  nonce: oneOf("fresh", "a", "", "n".repeat(200), "é"),
  keyid: oneOf("shop-1", "shop-1", "shop-1", "__proto__", "constructor", ""),
  body: oneOf("", "a", "{}", "b".repeat(2000)),
});
type Signed = typeof request extends fc.Arbitrary<infer T> ? T : never;

const headersOf = ({ body }: Signed, port: number): Readonly<Record<string, string>> => ({
  host: `localhost:${port}`,
  "content-type": "text/plain",
  "content-length": String(body.length),
  "content-digest": `sha-256=:${createHash("sha256").update(body).digest("base64")}:`,
  "x-a": "b",
});

const coveredValue = (component: string, it: Signed, headers: Readonly<Record<string, string>>): string => {
  const derived: Readonly<Record<string, string>> = {
    "@method": it.method,
    "@authority": headers.host ?? "",
    "@path": it.path,
    "@query": it.query || "?",
  };
  return derived[component] ?? headers[component] ?? "";
};

const fieldsOf = (it: Signed, headers: Readonly<Record<string, string>>): [string, string][] => {
  const covered = [...it.components, ...it.more];
  const nonce = it.nonce === "fresh" ? randomUUID() : it.nonce;
  const parameters = [
    `(${covered.map((one) => `"${one}"`).join(" ")})`,
    `created=${it.created}`,
    ...(it.expires === null ? [] : [`expires=${it.expires}`]),
    `nonce="${nonce}"`,
    `keyid="${it.keyid}"`,
    'alg="hmac-sha256"',
  ].join(";");
  const lines = covered.map((one) => `"${one}": ${coveredValue(one, it, headers)}`);
  const base = [...lines, `"@signature-params": ${parameters}`].join("\n");
  const mac = createHmac("sha256", signingKey).update(base, "latin1").digest("base64");
  return [
    ["Signature-Input", `sig=${parameters}`],
    ["Signature", `sig=:${mac}:`],
  ];
};

const windowSeconds = 300;

/** Old, early or over: no clock of these machines is a minute apart. */
const isOfNoTime = ({ created, expires }: Signed): boolean => {
  const now = Date.now() / 1000;
  return created > now + 90 || created < now - windowSeconds - 60 || (expires !== null && expires < now - 60);
};

/** A valid input. A gateway that refuses it would refuse all others for the same reason, and hide findings. */
const plain = (): Signed => ({
  ...{ method: "POST", path: "/f/signed/a", query: "", components: usual, more: ["content-digest"], body: "{}" },
  ...{ created: Math.floor(Date.now() / 1000), expires: null, nonce: "fresh", keyid: "shop-1" },
});

const wireOf = (it: Signed, port: number): Wire => {
  const known = headersOf(it, port);
  const headers = [...Object.entries(known), ...fieldsOf(it, known)];
  return { method: it.method, target: it.path + it.query, headers, body: it.body };
};

export const signed: Target = {
  name: "signed",
  about: "requests that are signed well, over odd times, nonces and components",
  needs: "gateway",
  open: async ({ port }) => {
    const first = await sendAndCheck(port, wireOf(plain(), port), true);
    if (first.status !== 200) throw new Error(`a plain signature is refused: ${first.text}`);
    return {
      property: each(request, async (it) => {
        const { status } = await sendAndCheck(port, wireOf(it, port), true);
        const lacks = usual.some((one) => !it.components.includes(one));
        if (status === 200 && (isOfNoTime(it) || lacks || it.keyid !== "shop-1"))
          throw new Error("a signature was taken that holds for nothing");
      }),
    };
  },
};
