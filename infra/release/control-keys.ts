/** Key pairs of the control plane: control's own, and one of each operator. */
import type { KeyPurpose } from "../project/key-pairs.ts";

/** The environment variable with an operator's private key. */
export const operatorVariable = (operator: string): string => `OPERATOR_${operator.toUpperCase().replaceAll("-", "_")}`;

export const operatorPurpose = (operator: string): KeyPurpose => ({
  name: `operator-${operator}`,
  variable: operatorVariable(operator),
  action: `call control as ${operator}`,
  command: `operator add ${operator}`,
});

/** Signs testers' labels; the private key is control's secret CONTROL_KEY. */
export const controlPurpose: KeyPurpose = {
  name: "control",
  variable: "CONTROL_KEY",
  action: "sign testers' labels",
  command: "control init",
};
