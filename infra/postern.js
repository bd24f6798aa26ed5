#!/usr/bin/env node
/** What `npx postern` and the npm scripts start: JavaScript, so that an older Node says what it lacks, and does not stumble over TypeScript. */
const least = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

/** @param {string} what @param {string} remedy */
const refuse = (what, remedy) => {
  console.error(`postern: ${what}\n         ${remedy}`);
  process.exitCode = 3;
};

// Here in Postern's own repository, or as a package in the project of somebody else.
const isPackage = import.meta.url.includes("/node_modules/");
const install = isPackage ? "npm install" : "npm ci";

/**
 * What the loader could not find: a package, or a file of postern's own.
 * @param {unknown} error
 */
const missing = (error) => {
  if (!(error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")) return undefined;
  const [what = ""] = error.message.split(" imported");
  return what.startsWith("Cannot find package")
    ? { what: `the project's packages are not there (${what})`, remedy: `${install} installs them` }
    : {
        what: `this copy of postern is incomplete (${what})`,
        remedy: isPackage ? "npm ci installs it anew" : "git status shows which files are missing",
      };
};

if (major < least[0] || (major === least[0] && minor < least[1]))
  refuse(
    `this is Node ${process.versions.node}, and postern needs ${least.join(".")} or newer`,
    isPackage
      ? "install it from https://nodejs.org, or by your version manager"
      : "npm ci installs one in the project; npm run --silent postern -- … runs postern with it",
  );
else
  await import("./cli.ts").catch((error) => {
    const found = missing(error);
    if (!found) throw error;
    refuse(found.what, found.remedy);
  });
