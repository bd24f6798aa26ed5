/** As much of the interpreter as the tests call; it has no types of its own. */
declare module "fengari" {
  // biome-ignore lint/suspicious/noExplicitAny: a foreign function interface to C's Lua, without types
  type Foreign = Readonly<Record<string, any>>;
  export const lua: Foreign;
  export const lauxlib: Foreign;
  export const lualib: Foreign;
  export const to_luastring: (text: string) => Uint8Array;
}
