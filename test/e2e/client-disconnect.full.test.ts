/** Clients that disconnect at each stage of a request, through a front and at a gate with a zone of its own. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { disconnectEarly, disconnects } from "./disconnect.ts";
import { manifest, type RunningProject, type Service, startProject, startService, stopService } from "./project.ts";

const files = (url: string) => ({
  "routes/t.yaml": manifest(
    "t",
    `limits: { body: 4MiB }
upstreams: { it: { http: "${url}" } }
routes:
  checked: { match: POST /checked, to: it, filters: [body-limit: 1MiB, validate: { body: { type: object } }] }
  copied: { match: POST /copied, to: it, filters: [mirror: { to: "${url}" }] }
  all: { match: "ANY /{rest*}", to: it }
`,
  ),
});

let service: Service;
const projects: Record<string, RunningProject> = {};
beforeAll(async () => {
  service = await startService((request, response) => {
    const path = request.url ?? "";
    request.on("error", () => {}).resume();
    if (path.includes("silent")) return;
    if (path.includes("early")) return void response.end("early");
    if (path.includes("endless")) {
      response.write("a");
      const timer = setInterval(() => response.write("a"), 20);
      response.on("close", () => clearInterval(timer));
      return;
    }
    request.on("end", () => response.end("took"));
  });
  projects["a front"] = await startProject(files(service.url));
  projects["a zone gate"] = await startProject(files(service.url), { onlyGate: "t" });
});
afterAll(async () => {
  for (const project of Object.values(projects)) await project.stop();
  if (service) stopService(service);
});

const head = (line: string, ...fields: readonly string[]): string =>
  [`${line} HTTP/1.1`, "Host: localhost", ...fields, "", ""].join("\r\n");

interface Stage {
  readonly where: string;
  /** What the client sends before it leaves. */
  readonly bytes: string;
  /** It has received the response's head by then. */
  readonly answered?: true;
}

const ofType = "Content-Type: application/json";
const stages: readonly Stage[] = [
  { where: "ahead of a small body", bytes: head("POST /t/a", "Content-Length: 10") },
  { where: "ahead of a large body", bytes: head("PUT /t/a", "Content-Length: 1000000") },
  { where: "ahead of the first chunk", bytes: head("POST /t/a", "Transfer-Encoding: chunked") },
  { where: "within a small body", bytes: `${head("POST /t/a", "Content-Length: 10")}abc` },
  { where: "within a large body", bytes: `${head("PUT /t/a", "Content-Length: 1000000")}${"x".repeat(300_000)}` },
  { where: "within a chunk", bytes: `${head("POST /t/a", "Transfer-Encoding: chunked")}30\r\nabc` },
  { where: "between two chunks", bytes: `${head("POST /t/a", "Transfer-Encoding: chunked")}3\r\nabc\r\n` },
  { where: "within the body of a GET", bytes: `${head("GET /t/a", "Content-Length: 10")}abc` },
  { where: "ahead of the chunks of a GET", bytes: head("GET /t/a", "Transfer-Encoding: chunked") },
  { where: "within a body that a filter reads", bytes: `${head("POST /t/checked", ofType, "Content-Length: 10")}{` },
  { where: "within a body that is copied", bytes: `${head("POST /t/copied", "Content-Length: 10")}abc` },
  { where: "while a service works", bytes: head("GET /t/silent") },
  { where: "while a service works on a body", bytes: `${head("POST /t/silent", "Content-Length: 3")}abc` },
  {
    where: "within the body while a service works",
    bytes: `${head("POST /t/silent", "Content-Length: 30000")}abc`,
  },
  { where: "within the answer", bytes: head("GET /t/endless"), answered: true },
  {
    where: "within the body behind the answer",
    bytes: `${head("POST /t/early", "Content-Length: 30000")}abc`,
    answered: true,
  },
];

describe.each(["a front", "a zone gate"])("through %s", (which) => {
  it.each(stages)("a client that leaves $where has its line, and nobody else is to blame", async (stage) => {
    const project = projects[which] as RunningProject;
    for (const end of disconnects) {
      const lines = await disconnectEarly(project, stage, end);
      expect({ end, written: lines.length > 0 }).toEqual({ end, written: true });
      for (const { type, status, verdict, code } of lines) {
        const found = [type, status, verdict, code].join(" ");
        expect(stage.answered ? ["access 200 passed "] : ["access 499 left ", others]).toContain(found);
      }
    }
  });
});

const others = "access 400 refused body-incomplete";
