/** Fuzz targets: requests to the running gateway. */
import fc from "fast-check";
import { each } from "../announced-property.ts";
import { fields, fieldValue, latin, method, oneOf, pathText } from "../pieces.ts";
import type { Target } from "../target.ts";
import { sendAndCheck, type Wire } from "../wire.ts";

const places = oneOf(
  ..."/ /kept/ /ids/ /names/a/parts/ /f/jwt /f/signed/ /f/checked /f/listed/ /f/browser /f/limited /f/when /f/moved/".split(
    " ",
  ),
  ..."/f/rewritten/ /f/mirrored /f/shared /f/cut /f/said /ws /f/ /f".split(" "),
);

const paths = fc.record({
  method,
  target: fc.oneof(
    { weight: 6, arbitrary: fc.tuple(places, pathText).map((it) => it.join("")) },
    { weight: 2, arbitrary: fc.tuple(places, pathText).map(([place, text]) => `${place}?${text}`) },
    { weight: 1, arbitrary: pathText.map((text) => `http://localhost${text}`) },
    { weight: 1, arbitrary: pathText },
    {
      weight: 1,
      arbitrary: fc
        .tuple(places, oneOf("a", "%61", "%2561", "/", "../", "%c3%a9", ";"))
        .map(([p, it]) => p + it.repeat(4000)),
    },
  ),
});

const headers = fc.record({ method, target: places, headers: fields });

const cookiePiece = oneOf(
  ...'c= session= postern-gray= a=b =x x ; ;; , " \\ %00 %zz é __Host-postern-gray= $Version=1 \x80 = == \t'.split(" "),
  " ",
  "a".repeat(3000),
);
const cookie = fc.array(cookiePiece, { maxLength: 25 }).map((all) => latin(all.join("")).trim());
const cookies = fc.record({
  target: oneOf("/f/listed/7", "/f/jwt", "/f/when", "/f/cut", "/", "/f/browser", "/f/shared"),
  headers: fc
    .array(cookie, { minLength: 1, maxLength: 3 })
    .map((all) => [
      ...all.map((it): [string, string] => ["Cookie", it]),
      ["Sec-Fetch-Site", "same-origin"] as [string, string],
    ]),
});

const hostPiece = oneOf(
  ..."localhost LOCALHOST a.acme.example acme.example x.y.acme.example .acme.example . .. : :80 :0 :65536 :-1 :x @ / \\ ? #".split(
    " ",
  ),
  ..."[::1] [ ] 127.0.0.1 0x7f.1 2130706433 1.2.3 xn--bcher-kva xn-- %41 %2e a_b - é \xff ｅ\u3002 * , \t".split(" "),
);
const host = fc.array(hostPiece, { maxLength: 6 }).map((all) => latin(all.join("")));
const hosts = fc.record({
  target: fc.oneof(
    oneOf("/", "/f/said", "/f/listed/7"),
    host.map((it) => `http://${it}/`),
    host.map((it) => `https://${it}/f/said`),
  ),
  host,
  headers: fc.oneof(
    oneOf([] as [string, string][]),
    host.map((it): [string, string][] => [["X-Forwarded-Host", it]]),
  ),
});

const signatureName = oneOf("sig", "postern", "sig1", "a", "*", "");
const component = oneOf(
  ...'"@method" "@authority" "@path" "@query" "@target-uri" "@request-target" "@scheme" "@status" "@query-param" "content-type"'.split(
    " ",
  ),
  ...'"content-digest" "x-a" "@path";req "@query-param";name="a" "x-a";bs "x-a";sf "x-a";key="a" "" "@" a "é" (")'.split(
    " ",
  ),
);
const parameter = oneOf(
  ..."created=1 created=1767225600 created=99999999999999 created=-1 created=1e9 created=@1 created=999999999999999 expires=0".split(
    " ",
  ),
  ...'expires=999999999999999 expires=-999999999999999 nonce="a" nonce=a nonce="" keyid="shop-1" keyid=shop-1 keyid="__proto__" keyid="constructor"'.split(
    " ",
  ),
  ...'alg="hmac-sha256" alg="none" alg="ed25519" tag="a" a;b ; =1 ?1 created created=?1 created="1"'.split(" "),
);
const input = fc
  .tuple(signatureName, fc.array(component, { maxLength: 8 }), fc.array(parameter, { maxLength: 7 }))
  .map(
    ([name, covered, all]) =>
      latin(`${name}=(${covered.join("\u00a0")})`).replaceAll("\xc2\xa0", " ") + all.map((it) => `;${it}`).join(""),
  );
const structured = fc.oneof(
  input,
  fieldValue,
  fc.array(input, { maxLength: 3 }).map((all) => all.join(", ")),
);
const signatureValue = fc.oneof(
  oneOf(..."sig=:YQ==: sig=:: sig=: sig=:é: sig=YQ sig=(:YQ==:) postern=:YQ==: sig1=:YQ: a=:YQ==:;x=1".split(" ")),
  fieldValue,
);
const signatures = fc.record({
  method: oneOf("GET", "POST"),
  target: oneOf("/f/signed/a", "/f/signed/a?a=1&a=2", "/f/signed/%41?%"),
  headers: fc.tuple(structured, signatureValue, structured).map(([one, two, three]): [string, string][] => [
    ["Signature-Input", one],
    ["Signature", two],
    ["Content-Digest", three],
    ["Content-Type", "text/plain"],
  ]),
  body: oneOf("", "a", "{}"),
});

const wire = (name: string, about: string, requests: fc.Arbitrary<Wire>): Target => ({
  name,
  about,
  needs: "gateway",
  open: async ({ port }) => ({ property: each(requests, async (it) => void (await sendAndCheck(port, it))) }),
});

export const wireTargets: readonly Target[] = [
  wire("paths", "request targets in every form and encoding", paths),
  wire("headers", "fields that gates read, with values that they do not expect", headers),
  wire("cookies", "Cookie fields, one and several", cookies),
  wire("hosts", "Host fields and authorities", hosts),
  wire("signatures", "structured fields of RFC 9421", signatures),
];
