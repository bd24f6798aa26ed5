/** The Worker that hears how requests of gates ended, also of those that died and could not tell. */

interface Bindings {
  readonly TELEMETRY: Fetcher;
}

/** The gate tells of these itself, or nobody was harmed. */
const harmless: readonly string[] = ["ok", "canceled", "responseStreamDisconnected", "unknown"];

export default {
  tail: async (events: readonly TraceItem[], { TELEMETRY }: Bindings): Promise<void> => {
    for (const [key, some] of Map.groupBy(events, (it) => `${it.scriptName}\n${it.scriptVersion?.id ?? ""}`)) {
      const [worker, version] = key.split("\n");
      const deaths = some.filter(({ outcome }) => !harmless.includes(outcome)).length;
      const cpuMs = some.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
      if (deaths === 0) continue;
      const body = JSON.stringify({ worker, version, deaths, cpuMs });
      await TELEMETRY.fetch("https://control/v1/obituary", { method: "POST", body });
    }
  },
};
