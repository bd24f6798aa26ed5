#!/usr/bin/env node
/** What `npx postern` starts: JavaScript, so that an older Node says what it lacks, and does not stumble over TypeScript. */
const least = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > least[0] || (major === least[0] && minor >= least[1])) await import("./cli.ts");
else {
  console.error(
    `postern: this is Node ${process.versions.node}, and postern needs ${least.join(".")} or newer\n         npm run --silent postern -- … runs it with the Node that the project brings along (npm ci installs it)`,
  );
  process.exitCode = 3;
}
