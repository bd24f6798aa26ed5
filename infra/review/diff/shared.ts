/** What stands beside the manifests: consumers, and the settings of an environment. */
import { isDeepStrictEqual } from "node:util";
import { count } from "../../diagnostics/report.ts";
import type { ChangeKind } from "../core/risks.ts";
import { joined, list, type Sentence, say } from "../core/sentence.ts";
import type { Change } from "./grade/change.ts";
import { differences } from "./grade/differences.ts";
import type { ConsumerPicture, Picture } from "./picture/model.ts";

const change = (kind: ChangeKind, file: string, says: Sentence): Change => ({
  kind,
  tier: null,
  routes: [],
  says,
  spot: { file },
});

const people = "routes/consumers.yaml";

export const consumersDiffer = (before: Picture, after: Picture): Change[] => {
  const ids = [...new Set([...before.consumers.keys(), ...after.consumers.keys()])].sort();
  return ids.flatMap((id) => {
    const [a, b] = [before.consumers.get(id), after.consumers.get(id)];
    if (isDeepStrictEqual(a, b)) return [];
    if (!a)
      return [
        change("consumer-added", people, [
          ...say`the consumer ${id} is added, with `,
          count(b?.keys.length ?? 0, "key"),
        ]),
      ];
    if (!b) return [change("consumer-removed", people, say`the consumer ${id} is gone, and its keys are refused`)];
    return [change("consumer-changed", people, [...say`the consumer ${id}: `, ...consumerSays(a, b)])];
  });
};

/** Keys are told by the first digits of their hashes. */
const consumerSays = (a: ConsumerPicture, b: ConsumerPicture): Sentence => {
  const brief = (keys: readonly string[]) => list(keys.map((it) => it.replace("key/", "").slice(0, 8)));
  const added = b.keys.filter((it) => !a.keys.includes(it));
  const removed = a.keys.filter((it) => !b.keys.includes(it));
  return joined([
    ...(added.length > 0 ? [["the key ", ...brief(added), " is taken too"] as Sentence] : []),
    ...(removed.length > 0 ? [["the key ", ...brief(removed), " is refused from now on"] as Sentence] : []),
    ...differences({ labels: a.labels }, { labels: b.labels }).map(({ says }) => says),
  ]);
};

/** Values are told where a manifest asks for them, and what only the dev loop reads changes nothing that runs. */
export const settingsDiffer = (before: Picture, after: Picture): Change[] => {
  const settings = ({ settings: { front, kv, consumers, explain, control } }: Picture) => ({
    front,
    kv,
    consumers,
    explain,
    control,
  });
  const [a, b] = [settings(before), settings(after)];
  const { file } = after.compiled.environment;
  const operators = differences({ operators: a.control?.operators ?? {} }, { operators: b.control?.operators ?? {} });
  const rest = differences(
    { ...a, control: withoutOperators(a.control) },
    { ...b, control: withoutOperators(b.control) },
  );
  return [
    ...operators.map(({ says }) => change("operators-changed", file, says)),
    ...rest.map(({ says }) => change("environment-changed", file, says)),
  ];
};

const withoutOperators = (control: Picture["settings"]["control"]): unknown => {
  if (!control) return undefined;
  const { operators: _, ...rest } = control;
  return rest;
};
