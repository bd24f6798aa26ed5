/** A project of many tiers as teams write them: thirty routes each, CORS, tokens, and a limit that counts in an object. */
import fs from "node:fs";
import path from "node:path";

const routesEach = 30;

/** @param environment the only one of the project */
export const writeTiers = (root: string, environment: string, count: number): void => {
  const routes = path.join(root, "routes");
  fs.mkdirSync(path.join(routes, "environments"), { recursive: true });
  fs.writeFileSync(
    path.join(routes, "environments", `${environment}.yaml`),
    "values: {}\nfront: { gray-key: { header: x-device-id } }\n",
  );
  for (let index = 0; index < count; index++) fs.writeFileSync(path.join(routes, `t${index}.yaml`), tier(`t${index}`));
};

const tier = (name: string): string => `api: postern/v1
tier: ${name}
owner: "@acme/${name}"
hosts: [api.acme.example]
base: /${name}/v1
filters:
  - cors: { origins: ["https://app.acme.example"] }
  - jwt: { issuer: "https://identity.acme.example", audience: ${name}, algorithms: [EdDSA] }
  - rate-limit: { limit: 1000/m, by: consumer, count: exact }
upstreams: { it: { http: "https://${name}.acme.example" } }
routes:
${Array.from({ length: routesEach }, (_, index) => `  r${index}: { match: "GET /r${index}/{id}", to: it }\n`).join("")}`;
