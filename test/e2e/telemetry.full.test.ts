/** In the dev loop as well, a request becomes a span, and the collector receives its service's name. */
import type { IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { decodeOtlp } from "../control/otlp.ts";
import { until } from "../until.ts";
import { manifest, runProject, runService } from "./project.ts";

const key = "g1iQurKfrRPxzIsyvX6RSUXJdeNt3kuA7F7mI9y-7ms";

it("with the headers that a secret holds", async () => {
  const pushed: { readonly path: string | undefined; readonly headers: IncomingHttpHeaders; readonly body: string }[] =
    [];
  const collector = await runService(async (request, response) => {
    pushed.push({ path: request.url, headers: request.headers, body: await text(request) });
    response.end("{}");
  });
  const environment = {
    control: {
      host: "control.localhost",
      key,
      account: "00000000000000000000000000000001",
      operators: {},
      otlp: { url: `${collector.url}/otlp`, secret: "OTLP_HEADERS" },
    },
  };
  const { url, lines } = await runProject(
    {
      "routes/environments/local.yaml": JSON.stringify(environment),
      "routes/a.yaml": manifest("a", 'routes: { hello: { match: GET /hello, respond: { text: "hello" } } }\n'),
    },
    { secrets: { OTLP_HEADERS: "authorization=Bearer%20s3cret", CONTROL_KEY: "{}", CLOUDFLARE_API_TOKEN: "none" } },
  );
  expect((await fetch(`${url}/a/hello`)).status).toBe(200);
  await until(() => pushed.some(({ path }) => path === "/otlp/v1/traces"), "spans were pushed");
  const [push] = pushed.filter(({ path }) => path === "/otlp/v1/traces");
  expect(push?.headers).toMatchObject({ authorization: "Bearer s3cret", "content-type": "application/json" });
  expect(JSON.stringify(decodeOtlp("traces", push?.body ?? ""))).toContain('"name":"GET /a/hello"');
  expect(lines.join("\n")).not.toContain("s3cret");
});
