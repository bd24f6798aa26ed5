#!/usr/bin/env node
/** What `npx postern` and the npm scripts start: JavaScript, so that an older Node says what it lacks, and does not stumble over TypeScript. */
const least = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

/** @param {string} what @param {string} remedy */
const refuse = (what, remedy) => {
  console.error(`postern: ${what}\n         ${remedy}`);
  process.exitCode = 3;
};

/** @param {unknown} error */
const lacksPackage = (error) =>
  error instanceof Error &&
  "code" in error &&
  error.code === "ERR_MODULE_NOT_FOUND" &&
  error.message.startsWith("Cannot find package");

if (major < least[0] || (major === least[0] && minor < least[1]))
  refuse(
    `this is Node ${process.versions.node}, and postern needs ${least.join(".")} or newer`,
    "npm ci installs one in the project; npm run --silent postern -- … runs postern with it",
  );
else
  await import("./cli.ts").catch((error) => {
    if (!lacksPackage(error)) throw error;
    refuse(`the project's packages are not there (${error.message.split(" imported")[0]})`, "npm ci installs them");
  });
