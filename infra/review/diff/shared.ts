/** Compares shared files: consumers, and the settings of an environment. */
import { isDeepStrictEqual } from "node:util";
import { count } from "../../diagnostics/report.ts";
import type { ChangeKind } from "../core/risks.ts";
import { joinSentences, quotedList, type Sentence, sentence } from "../core/sentence.ts";
import type { Change } from "./grade/change.ts";
import { listDifferences } from "./grade/differences.ts";
import { tierScales } from "./grade/parts.ts";
import type { ConsumerModel, EnvironmentModel } from "./picture/model.ts";

const fileChange = (kind: ChangeKind, file: string, message: Sentence): Change => ({
  kind,
  tier: null,
  routes: [],
  message,
  location: { file },
});

const consumersFile = "routes/consumers.yaml";

export const compareConsumers = (before: EnvironmentModel, after: EnvironmentModel): Change[] => {
  const ids = [...new Set([...before.consumers.keys(), ...after.consumers.keys()])].sort();
  return ids.flatMap((id) => {
    const [a, b] = [before.consumers.get(id), after.consumers.get(id)];
    if (isDeepStrictEqual(a, b)) return [];
    if (!a)
      return [
        fileChange("consumer-added", consumersFile, [
          ...sentence`the consumer ${id} is added, with `,
          count(b?.keys.length ?? 0, "key"),
        ]),
      ];
    if (!b)
      return [
        fileChange(
          "consumer-removed",
          consumersFile,
          sentence`the consumer ${id} is removed, and its keys are refused`,
        ),
      ];
    return [
      fileChange("consumer-changed", consumersFile, [...sentence`the consumer ${id}: `, ...describeConsumer(a, b)]),
    ];
  });
};

/** Describes keys by the first digits of their hashes. */
const describeConsumer = (a: ConsumerModel, b: ConsumerModel): Sentence => {
  const keyPrefixes = (keys: readonly string[]) => quotedList(keys.map((it) => it.replace("key/", "").slice(0, 8)));
  const added = b.keys.filter((it) => !a.keys.includes(it));
  const removed = a.keys.filter((it) => !b.keys.includes(it));
  return joinSentences([
    ...(added.length > 0 ? [["the key ", ...keyPrefixes(added), " is also accepted"] as Sentence] : []),
    ...(removed.length > 0 ? [["the key ", ...keyPrefixes(removed), " is no longer accepted"] as Sentence] : []),
    ...listDifferences({ labels: a.labels }, { labels: b.labels }).map(({ message }) => message),
  ]);
};

/** Compares shared settings. Values are reported at the manifests that use them; `dev` has no effect. */
export const compareSettings = (before: EnvironmentModel, after: EnvironmentModel): Change[] => {
  const settings = ({ settings: { front, kv, consumers, explain, control } }: EnvironmentModel) => ({
    front,
    kv,
    consumers,
    explain,
    control,
  });
  const [a, b] = [settings(before), settings(after)];
  const { file } = after.compiled.environment;
  const operators = listDifferences(
    { operators: a.control?.operators ?? {} },
    { operators: b.control?.operators ?? {} },
  );
  const otherDifferences = listDifferences(
    { ...a, front: withoutRelease(a.front), control: withoutOperators(a.control) },
    { ...b, front: withoutRelease(b.front), control: withoutOperators(b.control) },
  );
  return [
    ...operators.map(({ message }) => fileChange("operators-changed", file, message)),
    ...otherDifferences.map(({ message }) => fileChange("environment-changed", file, message)),
    ...compareFrontRelease(a.front.release, b.front.release, file),
  ];
};

/** Graded as a tier's release. */
const compareFrontRelease = (before: FrontRelease, after: FrontRelease, file: string): Change[] =>
  listDifferences({ ...before }, { ...after }, tierScales.release).map(({ verdict, message }) =>
    fileChange(verdict === "stronger" ? "release-changed" : "release-loosened", file, [
      "the release of the front: ",
      ...message,
    ]),
  );

type FrontRelease = EnvironmentModel["settings"]["front"]["release"];

const withoutRelease = ({ release: _, ...front }: EnvironmentModel["settings"]["front"]): unknown => front;

const withoutOperators = (control: EnvironmentModel["settings"]["control"]): unknown => {
  if (!control) return undefined;
  const { operators: _, ...otherDifferences } = control;
  return otherDifferences;
};
