/** Sends the rows unmodified through a front and gates. */
import http from "node:http";
import { afterAll, expect } from "vitest";
import { send } from "../../e2e/client.ts";
import { sharedProject } from "../../e2e/project.ts";
import { table } from "../row.ts";
import { files, requestOf } from "./project.ts";
import { rows } from "./rows.ts";

const withService = sharedProject(files);
const agent = new http.Agent({ keepAlive: true });
afterAll(() => agent.destroy());

const codes = ["parameters-invalid", "content-type-unsupported", "body-missing", "body-malformed", "body-invalid"];

/** That the gate refuses it for this reason, and for no other. */
const isRefused = (text: string): boolean => text.startsWith("{") && codes.includes(JSON.parse(text).code);

table(rows, async (row) => {
  const { port } = withService((request, response) => void request.resume().on("end", () => response.end()));
  for (const [all, isRight] of [
    [row.takes, (status: number) => status === 200],
    [row.refuses, (_: number, text: string) => isRefused(text)],
  ] as const)
    for (const sent of all) {
      const { body, ...request } = requestOf(row, sent);
      const bytes = body ? Buffer.from(body, "latin1") : undefined;
      const { status, text } = await send(port, { ...request, body: bytes, agent });
      const about = [
        isRight(status, text),
        status,
        request.path.slice(0, 80),
        request.headers,
        body?.slice(0, 200),
        text,
      ];
      expect(about).toEqual([true, ...about.slice(1)]);
    }
});
