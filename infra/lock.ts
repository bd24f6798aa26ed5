/**
 * Completes package-lock.json with the builds for other platforms. A registry that lacks some of them makes npm write
 * the lock without them, and `npm ci` then refuses it elsewhere.
 */
import fs from "node:fs";

interface Entry {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const systems: Readonly<Record<string, string>> = {
  aix: "aix",
  android: "android",
  darwin: "darwin",
  freebsd: "freebsd",
  linux: "linux",
  netbsd: "netbsd",
  openbsd: "openbsd",
  openharmony: "openharmony",
  sunos: "sunos",
  win32: "win32",
  windows: "win32",
};

/** The platform of a package by its name: `@cloudflare/workerd-linux-arm64`. */
const platformOf = (name: string) => {
  const words = (name.split("/").at(-1) ?? "").split("-");
  const os = words.map((word) => systems[word]).find(Boolean);
  const cpu = words.includes("arm64") ? "arm64" : words.includes("64") || words.includes("x64") ? "x64" : undefined;
  return { ...(cpu && { cpu: [cpu] }), ...(os && { os: [os] }), ...(words.includes("musl") && { libc: ["musl"] }) };
};

/** Paths where Node would look for `name` from the package at `packagePath`, nearest first. */
const lookupPaths = (packagePath: string, name: string): string[] => {
  const parents =
    packagePath === ""
      ? [""]
      : [packagePath, ...(packagePath.includes("/node_modules/") ? parentPaths(packagePath) : []), ""];
  return parents.map((parent) => `${parent === "" ? "" : `${parent}/`}node_modules/${name}`);
};
const parentPaths = (packagePath: string): string[] => {
  const up = packagePath.slice(0, packagePath.lastIndexOf("/node_modules/"));
  return up.includes("/node_modules/") ? [up, ...parentPaths(up)] : [up];
};

const lock = JSON.parse(fs.readFileSync("package-lock.json", "utf8")) as { packages: Record<string, Entry> };
const added: Record<string, Entry> = {};
for (const [packagePath, { optionalDependencies = {} }] of Object.entries(lock.packages))
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const found = lookupPaths(packagePath, name).find((lockPath) => lock.packages[lockPath]);
    if (!/^\d/.test(version) || (found && lock.packages[found]?.version === version)) continue;
    const lockPath = `${found ? `${packagePath}/` : ""}node_modules/${name}`;
    added[lockPath] = { version, dev: true, optional: true, ...platformOf(name) } as Entry;
  }
lock.packages = Object.fromEntries(Object.entries({ ...lock.packages, ...added }).sort(([a], [b]) => (a < b ? -1 : 1)));
fs.writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${Object.keys(added).length} builds for other platforms added`);
