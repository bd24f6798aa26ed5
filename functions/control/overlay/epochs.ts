/** The epochs of Workers, in the front's feed. A front assigns the users of a Worker to its versions by the Worker's epoch. */
import { frontName } from "../../front/front-name.ts";
import { type EntryOfKind, maxFeedAgeMs, type OverlayEntry } from "../../gateway/overlay/overlay.ts";
import { amendEntries, type Feed } from "./feed-client.ts";

/** How long after its publication every front that reaches the feed uses an epoch: the age of its data, and one refresh. */
export const epochSpreadMs = maxFeedAgeMs + 2000;

/**
 * Gives Workers a new epoch. Repeating it changes nothing.
 *
 * @param known the Workers of control's plan; epochs of others are forgotten
 * @throws if the feed does not accept it; call again then
 */
export const publishEpoch = async (
  feed: Feed,
  known: ReadonlySet<string>,
  workers: readonly string[],
  epoch: string,
): Promise<void> => {
  const state = await amendEntries(feed, frontName, (all) => {
    const before = all.findLast(isEpochs)?.epochs ?? {};
    if (workers.every((worker) => before[worker] === epoch)) return all;
    const kept = Object.entries(before).filter(([worker]) => known.has(worker));
    const changed = workers.map((worker) => [worker, epoch] as const);
    return [...all.filter((it) => !isEpochs(it)), entryOf(Object.fromEntries([...kept, ...changed]))];
  });
  if (!state) throw new Error("the feed of the front is written too often by others; try again");
};

const isEpochs = (it: OverlayEntry): it is EntryOfKind<"epochs"> => it.kind === "epochs";

/** It never expires: a front without it would assign users by the first epoch again. */
const entryOf = (epochs: EntryOfKind<"epochs">["epochs"]): OverlayEntry => ({
  kind: "epochs",
  epochs,
  id: "epochs",
  until: Number.MAX_SAFE_INTEGER,
  by: "control",
  reason: "rollouts begin with other users",
});
