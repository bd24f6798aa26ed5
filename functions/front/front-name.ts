/** The name of the front in commands and in control, where others are named by their tier. No tier has this name. */
export const frontName = "front";
