/**
 * Kills the process that runs control at random moments of a rollout, POSTERN_KILLS times: the rollout continues, repeats
 * nothing, and never exceeds the decided share.
 */
import { expect, it } from "vitest";
import { isOver, type Rollout } from "../../functions/control/model/rollout.ts";
import { machinePids } from "../../infra/cloud/machine/orphans.ts";
import { manifest } from "../e2e/project.ts";
import { rolloutCloud } from "./rollout-cloud.ts";

const kills = Number(process.env.POSTERN_KILLS ?? 3);

/** Every step holds and is promoted by command, so that the rollout needs no users and runs as fast as possible. */
const tier = (edit: number) =>
  manifest(
    "a",
    `release: { steps: ["0%", { share: 10%, hold: true }, { share: 20%, hold: true }, { share: 50%, hold: true }, "100%"], bake: 1s }
routes:
  it: { match: GET /it, respond: { status: 200, text: "${edit}" } }
`,
  );

let seed = 6;
const random = (): number => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
  return seed / 2 ** 31;
};

const pause = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

it(`continues after kill -9, ${kills} times`, { timeout: 120_000 + kills * 30_000 }, async () => {
  const it = await rolloutCloud({ "routes/a.yaml": tier(0) });
  const worker = () => it.cloud.control.worker("gate-a-local");
  /** Retries while control is briefly unavailable. */
  const retrying = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (let tries = 0; ; tries++)
      try {
        return await ask();
      } catch (error) {
        if (tries > 60) throw error;
        await pause(250);
      }
  };
  let killed = 0;
  for (let edit = 1; killed < kills; edit++) {
    it.edit("routes/a.yaml", tier(edit));
    await it.deploy(["a"], "0");
    await retrying(() => it.start("a"));
    let state: Rollout | undefined;
    for (;;) {
      if (killed < kills && random() < 0.5) {
        await pause(random() * 400);
        for (const pid of machinePids(`${it.root}/.cloud`)) process.kill(pid, "SIGKILL");
        killed++;
      }
      state = await retrying(() => it.status("a"));
      if (isOver(state)) break;
      const live = worker().deployments[0]?.versions.find(
        ({ version_id }) => version_id === state?.subjects[0]?.canary,
      );
      expect(live?.percentage ?? 0).toBeLessThanOrEqual(Math.max(state.goal.share, 0));
      if (state.steps[state.step]?.hold && state.goal.done.length === 1) {
        const { step } = state;
        // A command whose answer was lost is not repeated if it took effect.
        await retrying(async () => {
          if ((await it.status("a")).step === step)
            await it.client.call("POST", "/v1/tiers/a/rollout/promote", { reason: "on" });
        });
      }
      await pause(random() * 500);
    }
    expect(state.status).toBe("promoted");
    const ours = worker()
      .deployments.map(({ annotations }) => annotations["workers/message"] ?? "")
      .filter((message) => message.startsWith(`postern ${state?.id}/`))
      .toReversed();
    expect(ours.map((message) => message.replace(/^.*: /, ""))).toEqual(["0 %", "10 %", "20 %", "50 %", "100 %"]);
  }
});
