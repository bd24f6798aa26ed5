#!/usr/bin/env node
/**
 * `npm create postern my-gateway`: runs `postern init` of the same version. JavaScript that an older Node reads as well, so that
 * it says what it lacks.
 */
const least = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < least[0] || (major === least[0] && minor < least[1])) {
  console.error(
    `create-postern: this is Node ${process.versions.node}, and postern needs ${least.join(".")} or newer; install it from https://nodejs.org`,
  );
  process.exitCode = 3;
} else {
  const bin = new URL("infra/postern.js", import.meta.resolve("postern/package.json"));
  process.argv.splice(2, 0, "init");
  await import(bin.href);
}
