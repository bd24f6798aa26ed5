/** The account's journal on disk, after cut lines, damage, a full disk and a second process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Event } from "../../infra/cloud/account/account.ts";
import { openJournal } from "../../infra/cloud/storage/journal.ts";
import { startLocalCloud, temporaryFolder } from "./in-process-cloud.ts";
import { publication } from "./uploads.ts";

const namespace = (id: string): Event => ({ type: "namespace", namespace: { id, title: `title of ${id} – ü` } });

/** The journal of an account with these namespaces, one line each, and its file. */
const writeJournal = (...ids: string[]) => {
  const folder = temporaryFolder();
  const journal = openJournal(folder);
  for (const id of ids) journal.record(namespace(id));
  journal.close();
  return { folder, file: path.join(folder, "journal.ndjson") };
};

const idsIn = (folder: string): string[] => {
  const journal = openJournal(folder);
  journal.close();
  return [...journal.account().namespaces.keys()];
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a last line that was cut off", () => {
  it("is dropped, at every byte of it; all before stays, and what comes after is read", () => {
    const { folder, file } = writeJournal("one", "two", "three");
    const whole = fs.readFileSync(file);
    const from = whole.lastIndexOf("\n", whole.length - 2) + 1;
    for (let end = from; end < whole.length; end++) {
      fs.writeFileSync(file, whole.subarray(0, end));
      expect(idsIn(folder), `cut at ${end - from}`).toEqual(["one", "two"]);
      const journal = openJournal(folder);
      journal.record(namespace("four"));
      journal.close();
      expect(idsIn(folder), `cut at ${end - from}`).toEqual(["one", "two", "four"]);
    }
  });

  it("takes all events with it that happened together", () => {
    const { folder, file } = writeJournal("one");
    const journal = openJournal(folder);
    journal.record(namespace("two"), namespace("three"));
    journal.close();
    expect(idsIn(folder)).toEqual(["one", "two", "three"]);
    fs.truncateSync(file, fs.statSync(file).size - 1);
    expect(idsIn(folder)).toEqual(["one"]);
  });
});

it("has one line for an upload of several Workers, so that a kill leaves none of them or all", async () => {
  const folder = temporaryFolder();
  const { control } = await startLocalCloud({ folder });
  const lines = () => fs.readFileSync(path.join(folder, "journal.ndjson"), "utf8").trim().split("\n").length;
  const before = lines();
  await control.publish([publication("one", "export default {};"), publication("two", "export default {};")]);
  expect(lines()).toBe(before + 1);
});

describe("a line that is damaged", () => {
  it.each(["{", "", "null", "7", '"text"', '{"type":"of another time"}', "\0\0\0\0", '[{"type":"namespace"'])(
    "such as %j is an error that says where",
    (damage) => {
      const { folder, file } = writeJournal("one", "two", "three");
      const lines = fs.readFileSync(file, "utf8").split("\n");
      fs.writeFileSync(file, lines.with(2, damage).join("\n"));
      expect(() => openJournal(folder)).toThrow(`${file}:3 is damaged`);
      // The journal is unchanged, and no process holds its lock.
      expect(fs.readFileSync(file, "utf8").split("\n")[2]).toBe(damage);
      fs.writeFileSync(file, lines.join("\n"));
      expect(idsIn(folder)).toEqual(["one", "two", "three"]);
    },
  );

  it("is no account where the heading is another one", () => {
    const { folder, file } = writeJournal("one");
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace('"format":1', '"format":2'));
    expect(() => openJournal(folder)).toThrow("is not a journal of this local cloud");
  });
});

describe("a disk that is full", () => {
  const full = () => Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });

  it("takes a part of the line: nothing is recorded, and the journal can be read and written", () => {
    const { folder, file } = writeJournal("one");
    const before = fs.readFileSync(file, "utf8");
    const journal = openJournal(folder);
    const { writeFileSync } = fs;
    vi.spyOn(fs, "writeFileSync").mockImplementationOnce((to, text) => {
      writeFileSync(to, String(text).slice(0, 9));
      throw full();
    });
    expect(() => journal.record(namespace("two"), namespace("three"))).toThrow("ENOSPC");
    expect([...journal.account().namespaces.keys()]).toEqual(["one"]);
    expect(fs.readFileSync(file, "utf8")).toBe(before);
    journal.record(namespace("four"));
    journal.close();
    expect(idsIn(folder)).toEqual(["one", "four"]);
  });

  it("takes the line and does not keep it: nothing is recorded", () => {
    const { folder } = writeJournal("one");
    const journal = openJournal(folder);
    vi.spyOn(fs, "fsyncSync").mockImplementationOnce(() => {
      throw full();
    });
    expect(() => journal.record(namespace("two"))).toThrow("ENOSPC");
    journal.close();
    expect(idsIn(folder)).toEqual(["one"]);
  });

  it("takes a part of a module: its digest names nothing, and the next try is whole", () => {
    const { folder } = writeJournal();
    const journal = openJournal(folder);
    const { writeFileSync } = fs;
    vi.spyOn(fs, "writeFileSync").mockImplementationOnce((to) => {
      writeFileSync(to, "par");
      throw full();
    });
    expect(() => journal.storeBlob(Buffer.from("partial"))).toThrow("ENOSPC");
    expect(fs.readdirSync(path.join(folder, "blobs"))).toEqual([]);
    expect(journal.readBlob(journal.storeBlob(Buffer.from("partial"))).toString()).toBe("partial");
    journal.close();
  });
});

describe("two clouds on one folder", () => {
  /** Another process that opens the journal, says so, and stays until it is killed. */
  const other = (folder: string) => {
    const journal = path.resolve(import.meta.dirname, "../../infra/cloud/storage/journal.ts");
    const script = `const { openJournal } = await import(${JSON.stringify(journal)});
try { openJournal(${JSON.stringify(folder)}); console.log("has it"); setInterval(() => {}, 1000); }
catch (error) { console.log(error.message); }`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const output = once(child.stdout.setEncoding("utf8"), "data").then(([text]) => (text as string).trim());
    return { child, said: output, exited: once(child, "exit") };
  };

  it("are refused, be it from this process or from another", async () => {
    const { folder } = writeJournal("one");
    const journal = openJournal(folder);
    expect(() => openJournal(folder)).toThrow(`process ${process.pid} runs a local cloud on ${folder}`);
    expect(await other(folder).said).toContain(`process ${process.pid} runs a local cloud on ${folder}`);
    journal.close();
    const next = other(folder);
    expect(await next.said).toBe("has it");
    expect(() => openJournal(folder)).toThrow(`process ${next.child.pid} runs a local cloud`);
    next.child.kill("SIGKILL");
    await next.exited;
    expect(idsIn(folder)).toEqual(["one"]);
  });

  it.each([
    ["a process that is gone", "999999999 1"],
    ["a process whose id another one has now", `${process.ppid} 1`],
    ["this process's id before a restart", `${process.pid} 1`],
    ["nobody", ""],
    ["a lock of another form", "who knows"],
  ])("a lock of %s is taken over", (_, text) => {
    const { folder } = writeJournal("one");
    fs.writeFileSync(path.join(folder, "lock"), text);
    expect(idsIn(folder)).toEqual(["one"]);
    expect(fs.readdirSync(folder).filter((it) => it.startsWith("lock"))).toEqual([]);
  });

  it("one of many that take over a stale lock at once has it", async () => {
    const { folder } = writeJournal("one");
    fs.writeFileSync(path.join(folder, "lock"), "999999999 1");
    const all = Array.from({ length: 6 }, () => other(folder));
    const output = await Promise.all(all.map((it) => it.said));
    expect(
      output.filter((it) => it === "has it"),
      output.join("\n"),
    ).toHaveLength(1);
    for (const { child } of all) child.kill("SIGKILL");
    await Promise.all(all.map(({ exited }) => exited));
  });
});

it("a long journal is written anew when it is opened, and what nothing names any more goes", () => {
  const folder = temporaryFolder();
  const journal = openJournal(folder);
  const version = (number: number): Event => ({
    type: "version",
    worker: "it",
    version: {
      id: `version-${number}`,
      number,
      createdOn: "2026-01-01T00:00:00.000Z",
      source: "upload",
      mainModule: "it.js",
      modules: [{ name: "it.js", type: "ESModule", blob: journal.storeBlob(Buffer.from(`code ${number}`)), bytes: 6 }],
      bindings: [{ type: "secret_text", name: "S", text: `value-${number}` }],
      compatibilityDate: "2026-01-01",
      compatibilityFlags: [],
      annotations: {},
      etag: "",
      limits: {},
      tailConsumers: [],
    },
  });
  journal.record(...Array.from({ length: 300 }, (_, index) => version(index + 1)));
  journal.close();
  const before = journal.account();
  // As many lines as it takes, written at once, since a sync of each would take long.
  const idle = `${JSON.stringify({ type: "delete", worker: "nobody" })}\n`;
  fs.appendFileSync(path.join(folder, "journal.ndjson"), idle.repeat(1000));
  expect(before.workers.get("it")?.versions).toHaveLength(100);
  const again = openJournal(folder);
  expect(again.account()).toEqual(before);
  expect(fs.readFileSync(path.join(folder, "journal.ndjson"), "utf8").split("\n")).toHaveLength(3);
  expect(fs.readdirSync(path.join(folder, "blobs"))).toHaveLength(100);
  expect(fs.readdirSync(path.join(folder, "secrets"))).toHaveLength(100);
  // Values stand in their files and nowhere else.
  expect(fs.readFileSync(path.join(folder, "journal.ndjson"), "utf8")).not.toContain("value-");
  again.record(version(301));
  again.close();
  const third = openJournal(folder);
  third.close();
  expect(third.account().workers.get("it")?.versions.at(-1)?.bindings).toEqual([
    { type: "secret_text", name: "S", text: "value-301" },
  ]);
});
