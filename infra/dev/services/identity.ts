/** Sample identity provider: `/token/<name>` is a wallet token, `/.well-known/jwks.json` the key that verifies it. */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { sendJson, serve } from "./serve.ts";

const { privateKey, publicKey } = await generateKeyPair("EdDSA");
const key = { ...(await exportJWK(publicKey)), kid: "dev", alg: "EdDSA", use: "sig" };
const issuer = `http://localhost:${process.argv[2]}`;

serve(async (_, response, url) => {
  if (url.pathname === "/.well-known/jwks.json") return sendJson(response, 200, { keys: [key] });
  const subject = /^\/token\/([a-z]+)$/.exec(url.pathname)?.[1];
  if (subject === undefined) return sendJson(response, 404, { error: "ask for /token/alice" });
  const token = await new SignJWT({ name: subject })
    .setProtectedHeader({ alg: "EdDSA", kid: "dev" })
    .setIssuer(issuer)
    .setAudience(url.searchParams.get("audience") ?? "wallet")
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(url.searchParams.get("expires") ?? "1h")
    .sign(privateKey);
  response.writeHead(200, { "content-type": "text/plain" }).end(token);
});
