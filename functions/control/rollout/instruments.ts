/** The instruments of a tier's rollouts: state, time in it, share and verdict, so that alerts can watch them. */
import { verdicts } from "../model/finding.ts";
import type { Rollout } from "../model/rollout.ts";
import { rolloutStates, shareOf, stateOf, stateSince } from "../model/rollout-state.ts";
import { parseSubject } from "../model/subject.ts";
import type { Instrument, Point } from "../telemetry/instruments.ts";

/** @param all the current rollouts of the tier and of its cutovers, or the last ones */
export const rolloutInstruments = (all: readonly Rollout[], now: number): readonly Instrument[] => {
  const points = (read: (it: Rollout) => readonly (readonly [value: number, labels?: Labels])[]) =>
    all.flatMap((it) => read(it).map(([value, labels = {}]) => pointOf(it, value, labels, now)));
  return [
    {
      name: "postern.rollout.state",
      unit: "{state}",
      help: "1 for the state of the current rollout or the last one, 0 for the others",
      kind: "gauge",
      points: points((it) => rolloutStates.map((state) => [Number(stateOf(it) === state), { state }])),
    },
    {
      name: "postern.rollout.state.age",
      unit: "s",
      help: "Time since the rollout has this state",
      kind: "gauge",
      points: points((it) => [[Math.max(0, Math.floor((now - stateSince(it)) / 1000))]]),
    },
    {
      name: "postern.rollout.share",
      unit: "1",
      help: "Share of the users that have the new version, as decided",
      kind: "gauge",
      points: points((it) => [[shareOf(it) / 100]]),
    },
    {
      name: "postern.rollout.verdict",
      unit: "{verdict}",
      help: "1 for the last verdict; 0 for the others, and for all before the first",
      kind: "gauge",
      points: points((it) => verdicts.map((verdict) => [Number(it.verdict?.verdict === verdict), { verdict }])),
    },
  ];
};

type Labels = Readonly<Record<string, string>>;

/** @returns with the id of the rollout, and the route of a cutover */
const pointOf = (it: Rollout, value: number, labels: Labels, now: number): Point<number> => {
  const { route } = parseSubject(it.tier);
  const version = it.subjects[0]?.canary ?? "";
  return {
    version,
    labels: { ...(route !== null && { route }), rollout: it.id, ...labels },
    since: it.startedAt,
    heard: now,
    value,
  };
};
