/** A plugin of Miniflare that binds workerd's debug port, by which its own registry of Workers calls from process to process. */
interface Options {
  readonly config: { readonly env?: Readonly<Record<string, { readonly type: string }>> };
}

const bindingType = "debug-port";

/** Miniflare's own mark for a member of a union that has no value. */
const noValue = Symbol.for("postern.void");

/** What Miniflare looks for in a package of plugins. */
export const plugins = {
  [bindingType]: {
    getBindings: async ({ config }: Options) =>
      Object.entries(config.env ?? {})
        .filter(([, { type }]) => type === `unsafe:${bindingType}`)
        .map(([name]) => ({ name, workerdDebugPort: noValue })),
    getNodeBindings: () => ({}),
    getServices: async () => [],
  },
};

export const debugPort = (name: string) => ({
  name,
  type: bindingType,
  plugin: { package: import.meta.filename, name: bindingType },
  options: {},
});
