/**
 * A process that runs a cloud and is there to be killed: `killable-cloud.ts <folder>`. It takes a command a line and acknowledges it
 * with a line when it is done; before the first one it says what it found.
 */
import readline from "node:readline";
import type { Version } from "../../infra/cloud/account/account.ts";
import { secretBindings } from "../../infra/cloud/account/bindings.ts";
import { startCloud } from "../../infra/cloud/cloud.ts";
import { type Command, type FoundState, onSubdomain, upload, type Worker } from "./kill-model.ts";

const [folder = ""] = process.argv.slice(2);
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const cloud = await startCloud({ folder, edgePort: 0, report: (line) => process.stderr.write(`${line}\n`) });
const { control } = cloud;

const codeOf = ({ annotations }: Version): string => annotations["workers/tag"] ?? "";

const found = (): FoundState => ({
  edge: cloud.edge,
  ids: Object.fromEntries(
    [...control.account().workers.values()].map((it) => [
      it.name,
      Object.fromEntries(it.versions.map(({ id, number }) => [number, id])),
    ]),
  ),
  workers: Object.fromEntries(
    [...control.account().workers.values()].map((it): [string, Worker] => [
      it.name,
      {
        versions: it.versions.map((version) => ({
          number: version.number,
          code: codeOf(version),
          secret: secretBindings(version.bindings)[0]?.text ?? "",
        })),
        live: (it.deployments[0]?.versions ?? []).map(({ version_id, percentage }) => [
          it.versions.find(({ id }) => id === version_id)?.number ?? 0,
          percentage,
        ]),
        enabled: it.subdomain.enabled,
      },
    ]),
  ),
});

const done = async (command: Command): Promise<unknown> => {
  switch (command.do) {
    case "upload":
      return control.publish(
        command.workers.map((name) => upload(name, command.code, !control.account().workers.has(name))),
      );
    case "enable":
      return control.changeSettings(command.worker, onSubdomain);
    case "split": {
      const { versions } = control.worker(command.worker);
      const shares = command.shares.map(([number, percentage]) => ({
        version_id: versions.find((it) => it.number === number)?.id ?? "",
        percentage,
      }));
      return control.deploy(command.worker, shares, {}, true);
    }
    case "secret": {
      const latest = control.worker(command.worker).versions.at(-1);
      const tag = { "workers/tag": latest ? codeOf(latest) : "" };
      return control.editSecrets(command.worker, { SECRET: command.value }, command.deploy, tag);
    }
  }
};

if (!control.account().namespaces.has("ab")) await control.addNamespace("kv", "ab");
say(found());
for await (const line of readline.createInterface({ input: process.stdin })) {
  await done(JSON.parse(line) as Command);
  say({ done: true });
}
await cloud.close();
process.exit();
