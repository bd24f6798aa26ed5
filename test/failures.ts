/** Prints why a test fails when it fails, and not only once all others have run. */
import type { Reporter, TestCase } from "vitest/node";

export class FailuresAtOnce implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    if (state !== "failed") return;
    const reasons = errors.map(({ name, message, diff }) => [`${name}: ${message}`, diff].filter(Boolean).join("\n"));
    process.stdout.write(`\nfailed: ${test.module.relativeModuleId} > ${test.fullName}\n${reasons.join("\n")}\n\n`);
  }
}
