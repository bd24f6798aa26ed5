/**
 * A sample identity provider for `npm run dev`: `/token/<name>?audience=<tier>` is a token for anybody who asks,
 * `/.well-known/jwks.json` the key that verifies it. Environments other than local name your own provider.
 */
import { generateKeyPairSync, sign } from "node:crypto";
import http from "node:http";

const port = Number(process.argv[2]);
const issuer = `http://localhost:${port}`;
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...publicKey.export({ format: "jwk" }), kid: "dev", alg: "RS256", use: "sig" };

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

const tokenFor = (sub, aud) => {
  const iat = Math.floor(Date.now() / 1000);
  const head = base64url({ alg: "RS256", kid: "dev", typ: "JWT" });
  const body = base64url({ iss: issuer, sub, aud, iat, exp: iat + 3600 });
  return `${head}.${body}.${sign("sha256", `${head}.${body}`, privateKey).toString("base64url")}`;
};

const server = http.createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", issuer);
  const name = /^\/token\/([a-z]+)$/.exec(pathname)?.[1];
  const audience = searchParams.get("audience");
  if (pathname === "/.well-known/jwks.json")
    response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: [key] }));
  else if (name !== undefined && audience !== null) response.end(tokenFor(name, audience));
  else response.writeHead(404).end("ask for /token/alice?audience=<tier>\n");
});
server.on("error", (error) => {
  console.error(`cannot listen on port ${port}: ${error.message}`);
  process.exitCode = 1;
});
server.listen(port, "localhost");
