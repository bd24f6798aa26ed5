/** Each message over a raw socket through the edge, the front and a gate, to a service that sees raw bytes. */
import path from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { sign } from "../../../infra/commands/authoring/sign.ts";
import { findAccessLine, logRecords, type RunningProject, startProject } from "../../e2e/project.ts";
import { until } from "../../until.ts";
import { table } from "../row.ts";
import { filesOf, type MessageRow, plainReply, signingKey } from "./messages.ts";
import { rows } from "./rows.ts";
import { converse, type Message, messagesIn, type RawService, rawService, textOf, valuesOf } from "./wire.ts";

let project: RunningProject;
let service: RawService;
let copies: RawService;

beforeAll(async () => {
  [service, copies] = await Promise.all([rawService(), rawService()]);
  copies.replies(plainReply);
  project = await startProject(filesOf(service.url, copies.url), {
    secrets: { SIGNING_KEY: signingKey },
    others: { peer: path.join(import.meta.dirname, "peer.ts") },
  });
});

afterAll(async () => {
  service.stop();
  copies.stop();
  await project.stop();
});

table(rows, async (row) => {
  service.replies(row.reply ?? plainReply);
  service.seen();
  copies.seen();
  project.lines.length = 0;
  const send = row.isSigned ? await signed(row.send) : row.send;
  const { status, code, headers = {}, body, times = 1 } = row.gets;
  const bodiless = row.send.startsWith("HEAD ") || status === 101;
  const { received, ended } = await converse(project.port, send, (it) => finalOf(it, { bodiless }).length >= times);
  const answers = finalOf(received, { bodiless, ended });
  expect(answers.map(({ line }) => Number(line.split(" ")[1]))).toEqual(Array(times).fill(status));
  for (const it of answers) {
    expectFields(it, headers);
    if (body !== undefined) expect(textOf(it)).toBe(body);
    if (code !== undefined) expect(JSON.parse(textOf(it)).code).toBe(code);
    await expectBlame(it, row);
  }
  expectSeen(service.seen(), row);
  if (!row.isCopied) return;
  const copied: Message[] = [];
  await until(() => copied.push(...copies.seen()) > 0, "the copy arrives");
  expectSeen(copied, row);
});

const finalOf = (received: string, options: { readonly bodiless?: boolean; readonly ended?: boolean }): Message[] =>
  messagesIn(received, options).filter(({ line }) => !/^HTTP\/1\.1 (?:100|102|103)/.test(line));

const signed = async (send: string): Promise<string> => {
  const [, method = "", target = ""] = /^(\S+) (\S+)/.exec(send) ?? [];
  const body = send.slice(send.indexOf("\r\n\r\n") + 4);
  const { data } = await sign(method, `http://localhost${target}`, { root: project.root, ...(body && { data: body }) });
  const { headers } = data as { readonly headers: Readonly<Record<string, string>> };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return send.replace("{signature}", lines.join("\r\n"));
};

const expectFields = (message: Message, fields: MessageRow["gets"]["headers"] = {}): void => {
  for (const [name, value] of Object.entries(fields)) {
    const found = valuesOf(message, name);
    if (value === "{loopback}") expect(found, name).toEqual([expect.stringMatching(/^(?:127\.0\.0\.1|::1)$/)]);
    else expect(found, name).toEqual([value ?? []].flat());
  }
};

const expectSeen = (seen: readonly Message[], { sees, gets: { times = 1 } }: MessageRow): void => {
  if (sees === undefined) return;
  if (sees === "nothing") {
    expect(seen).toEqual([]);
    return;
  }
  expect(seen).toHaveLength(times);
  for (const it of seen) {
    if (sees.line !== undefined) expect(it.line).toBe(sees.line);
    if (sees.body !== undefined) expect(textOf(it)).toBe(sees.body);
    expectFields(it, sees.headers);
  }
};

/** Who is to blame stands in the access line; whom the edge answers by itself leaves none. */
const expectBlame = async (answer: Message, { serviceFails, gets: { code } }: MessageRow): Promise<void> => {
  const [id] = valuesOf(answer, "x-request-id");
  if (id !== undefined) {
    const verdict = serviceFails ? "failed" : code === undefined ? "passed" : "refused";
    expect(await findAccessLine(project, id)).toMatchObject({ verdict, ...(serviceFails && { by: "it" }) });
    if (!serviceFails) expect(logRecords(project).filter((it) => it.type === "fault" && it.request === id)).toEqual([]);
  }
  const blamed = logRecords(project).filter(
    ({ type, verdict, by }) => type === "access" && verdict === "failed" && by !== "it",
  );
  expect(blamed).toEqual([]);
};
