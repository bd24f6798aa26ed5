/**
 * A plugin of Miniflare for bindings that it has no option for: workerd's debug port, by which processes call each other,
 * and a KV namespace that is read through the router.
 */
interface Options {
  readonly config: {
    readonly env?: Readonly<
      Record<string, { readonly type: string; readonly dev?: { readonly options?: Readonly<Record<string, string>> } }>
    >;
  };
}

const name = "postern";
const debugPortType = "debug-port";
const delayedKvType = "late-kv";

/** Miniflare's own marker for a member of a union without a value. */
const noValue = Symbol.for("postern.void");

/** The export that Miniflare looks for in a package of plugins. */
export const plugins = {
  [name]: {
    getBindings: async ({ config }: Options) =>
      Object.entries(config.env ?? {}).flatMap(([binding, { type, dev }]): object[] => {
        if (type === `unsafe:${debugPortType}`) return [{ name: binding, workerdDebugPort: noValue }];
        if (type !== `unsafe:${delayedKvType}`) return [];
        const { router, namespace } = dev?.options ?? {};
        const props = { json: JSON.stringify({ namespace }) };
        return [{ name: binding, kvNamespace: { name: `core:user:${router}`, entrypoint: "Kv", props } }];
      }),
    getNodeBindings: () => ({}),
    getServices: async () => [],
  },
};

const plugin = { package: import.meta.filename, name };

export const debugPort = (binding: string) => ({ name: binding, type: debugPortType, plugin, options: {} });

/** A KV namespace whose values are read through the router, which caches them. */
export const delayedKv = (binding: string, router: string, namespace: string) => ({
  name: binding,
  type: delayedKvType,
  plugin,
  options: { router, namespace },
});
