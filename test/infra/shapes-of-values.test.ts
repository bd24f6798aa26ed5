/** Values of which no text can be made (`{ toString: {} }`), wherever a file that people or machines write has one: a problem, no crash. */
import { describe, expect, it } from "vitest";
import { compile } from "../../infra/compiler/compile.ts";
import { DocumentError, parseDocument } from "../../infra/openapi/document.ts";
import { importGatewayApi } from "../../infra/review/import/gateway-api/import.ts";
import { manifest, writeProject } from "../e2e/project.ts";

const odd = "{ toString: {}, valueOf: 1 }";

const problemsOf = (filters: string, more = ""): string[] => {
  const root = writeProject({
    "routes/t.yaml": manifest(
      "t",
      `filters: [${filters}]\nupstreams: { it: { http: http://service.example } }\nroutes: { a: { match: POST /a, to: it } }\n${more}`,
    ),
  });
  return compile(root, "local").problems.map(({ code }) => code);
};

const jwt = (key: string) => `jwt: { issuer: a, audience: b, algorithms: [EdDSA], keys: [${key}] }`;
const x = "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU";

describe("of a manifest", () => {
  it.each([
    ["the type of a schema", `body-limit: 1KiB, id: l }, { validate: { body: { type: ${odd} } }`],
    ["a type of several", `body-limit: 1KiB, id: l }, { validate: { body: { type: [string, ${odd}] } }`],
    ["a maximum", `body-limit: 1KiB, id: l }, { validate: { body: { type: number, maximum: ${odd} } }`],
    ["the use of a key", jwt(`{ kty: OKP, crv: Ed25519, x: ${x}, use: ${odd} }`)],
    ["the curve of a key", jwt(`{ kty: OKP, crv: ${odd}, x: ${x} }`)],
    ["the type of a key", jwt(`{ kty: ${odd}, crv: Ed25519, x: ${x} }`)],
    ["a coordinate", jwt(`{ kty: OKP, crv: Ed25519, x: ${odd} }`)],
    ["a header", `headers: { request: { set: { x-a: ${odd} } } }`],
    ["an algorithm", `jwt: { issuer: a, audience: b, algorithms: [${odd}] }`],
  ])("%s", (_, filter) => {
    expect(problemsOf(`{ ${filter} }`)).not.toEqual([]);
  });

  it("a point of small order is no key", () => {
    expect(problemsOf(`{ ${jwt(`{ kty: OKP, crv: Ed25519, x: ${x} }`)} }`)).toEqual(["invalid"]);
  });
});

it.each(["openapi", "swagger"])("the version of an OpenAPI document: %s", (word) => {
  expect(() => parseDocument(`${word}: ${odd}\npaths: {}\n`, "d.yaml")).toThrow(DocumentError);
});

it("of files of the Gateway API", () => {
  const text = `kind: HTTPRoute\napiVersion: ${odd}\nmetadata: { name: ${odd}, namespace: ${odd} }\nspec: {}\n`;
  expect(() => importGatewayApi([{ file: "g.yaml", text }], {})).not.toThrow(TypeError);
});
